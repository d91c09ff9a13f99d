"""Facts that a Parquet footer declares, and the rules that they must meet."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from taxi_etl.contents import COLUMNS_MAX, check_data_end, check_names
from taxi_etl.failures import Failure, FailureCode
from taxi_etl.schema import SourceColumn

READABLE_CODECS = frozenset({"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4"})
"""Compression codecs that Spark reads without native libraries."""
VECTORIZED_ENCODINGS = frozenset(
    {
        "PLAIN",
        "PLAIN_DICTIONARY",
        "RLE_DICTIONARY",
        "RLE",
        "BIT_PACKED",
        "DELTA_BINARY_PACKED",
        "DELTA_LENGTH_BYTE_ARRAY",
        "DELTA_BYTE_ARRAY",
    }
)
"""Encodings that Spark's vectorized Parquet decoder reads. Its row decoder reads the others as well."""
ELEMENTS_MAX = 4 * COLUMNS_MAX
"""The most elements of a footer's schema: its columns and the parts of nested ones."""
VARINT_BYTES_MAX = 5


@dataclass(frozen=True)
class FooterFacts:
    """What a Parquet footer declares.

    `data_end` is the byte offset at which the last column chunk ends. `codecs` maps each compression codec to
    a column that uses it. `contradiction` describes where the row counts disagree; it is empty if they agree.
    """

    columns: tuple[SourceColumn, ...]
    data_end: int = 0
    codecs: Mapping[str, str] | None = None
    encodings: frozenset[str] = frozenset()
    contradiction: str = ""

    @property
    def needs_row_decoder(self) -> bool:
        """Whether Spark's vectorized decoder cannot read one of the columns."""
        return bool(self.encodings - VECTORIZED_ENCODINGS)

    def to_json(self) -> dict[str, Any]:
        """The answer of the process that reads footers."""
        return {
            "columns": [column.to_json() for column in self.columns],
            "dataEnd": self.data_end,
            "codecs": dict(self.codecs or {}),
            "encodings": sorted(self.encodings),
            "contradiction": self.contradiction,
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """The facts that `to_json` wrote."""
        return cls(
            columns=tuple(SourceColumn.from_json(column) for column in entry["columns"]),
            data_end=entry["dataEnd"],
            codecs=entry["codecs"],
            encodings=frozenset(entry["encodings"]),
            contradiction=entry["contradiction"],
        )


def check_footer(facts: FooterFacts, footer_start: int) -> list[Failure]:
    """Return every reason in a footer why its file cannot be loaded."""
    found = check_data_end(facts.data_end, footer_start)
    problem = check_names([column.name for column in facts.columns])
    if problem:
        found.append(Failure(FailureCode.UNREADABLE_HEADER, problem))
    found += [
        Failure(
            FailureCode.UNSUPPORTED_CODEC,
            f"column {column!r} is compressed with {codec}, which Spark cannot read; "
            "save the file with snappy, gzip or zstd",
        )
        for codec, column in sorted((facts.codecs or {}).items())
        if codec not in READABLE_CODECS
    ]
    if facts.contradiction:
        found.append(damaged(facts.contradiction))
    return found


UNKNOWN_TYPE = "ArrowNotImplementedError: "
"""The beginning of pyarrow's error for a type that it recognizes but cannot read."""


def damaged(problem: str) -> Failure:
    """The failure of a file whose footer is damaged or has an unknown type; `problem` describes it."""
    if problem.startswith(UNKNOWN_TYPE):
        text = f"a column has a type that Spark cannot read ({problem.removeprefix(UNKNOWN_TYPE)})"
        return Failure(FailureCode.NOT_PARQUET, f"{text}; save it with another type")
    text = f"the Parquet footer is damaged: {problem}; write or upload the file again"
    return Failure(FailureCode.NOT_PARQUET, text)


def check_schema_size(footer: bytes) -> list[Failure]:
    """Check the number of columns by a footer's first bytes, before anything is built from the others.

    A footer with an unexpected beginning is not rejected here.
    """
    elements = schema_elements(footer)
    if elements is None or elements <= ELEMENTS_MAX:
        return []
    text = f"the file has {elements - 1:,} columns; the limit is {COLUMNS_MAX}"
    return [Failure(FailureCode.UNREADABLE_HEADER, text)]


def schema_elements(footer: bytes) -> int | None:
    """The number of elements of a footer's schema, its root included; None for an unexpected beginning.

    In Thrift's compact protocol a footer begins with its version (field 1, i32) and its schema (field 2, list
    of structs), whose length is in the high half of a byte, or after it if it exceeds 14.
    """
    if footer[:1] != b"\x15":
        return None
    _, place = _varint(footer, 1)
    if footer[place : place + 1] != b"\x19" or len(footer) < place + 2:
        return None
    size_and_type = footer[place + 1]
    if size_and_type & 0x0F != 0x0C:
        return None
    short = size_and_type >> 4
    return short if short < 15 else _varint(footer, place + 2)[0]


def _varint(content: bytes, start: int) -> tuple[int, int]:
    """An unsigned number of 7 bits a byte, the lowest first, and the position after it."""
    value, place = 0, start
    for byte in content[start : start + VARINT_BYTES_MAX]:
        value |= (byte & 0x7F) << (7 * (place - start))
        place += 1
        if byte < 0x80:
            break
    return value, place
