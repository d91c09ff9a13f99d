"""How does one get realistic TLC trip files of any dataset, period, size and cleanliness? See `generate`."""

from ops.samples.files import ENCODINGS, SUFFIXES, VARIANTS, Sample, generate

__all__ = ["ENCODINGS", "SUFFIXES", "VARIANTS", "Sample", "generate"]
