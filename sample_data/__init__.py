"""Generator of synthetic TLC trip files of any dataset, period, size, and share of damaged rows."""

from sample_data.files import ENCODINGS, SUFFIXES, VARIANTS, Sample, generate

__all__ = ["ENCODINGS", "SUFFIXES", "VARIANTS", "Sample", "generate"]
