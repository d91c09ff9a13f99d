"""Which SQL turns a file's rows into rows of a table? One statement, which gives each row once.

Steps: `present` (blank is null), `numbers` (texts as doubles), `typed` (columns of the table), `judged` (can
the row be true?), `packed` (the row as read, only where it is needed). Each is a step of its own so that an
engine computes it once for a row. Whoever runs the statement sends rows with `reason_bits` 0 to the table of
the dataset, the others to quarantine.
"""

from collections.abc import Sequence

from taxi_etl.datasets import DATASETS
from taxi_etl.schema import Column, kind_family, match_columns
from taxi_etl.tables import LINEAGE
from taxi_etl.transform import expressions as sql
from taxi_etl.transform.predicates import PREDICATES, Reason, Subject
from taxi_etl.transform.sources import LINEAGE_COLUMNS, SOURCE

INDENT = "  "
BITS = {reason: 1 << place for place, reason in enumerate(Reason)}
"""Each reason's bit. They hold within a run: what is kept are the reasons' words."""


def judged(dataset: str, columns: Sequence[tuple[str, str]], source: str = SOURCE) -> str:
    """Every row of `source` once, in the columns of the dataset's table and what quarantine wants to know.

    `columns` are the (name, kind) pairs of `sources.source_columns`, `source` the view that has them. A row
    that can be true has `reason_bits` 0; another has those of all its reasons (`reasons_of`), and itself as
    the file has it in `row_as_read`, which is else null. `position` is known of every row whose reader knows
    it.
    """
    subject = _subject(dataset, columns)
    raw = _raw(subject, [name for name, _ in columns])
    as_read = sql.text_map(
        [(name, sql.as_text(f"_row.raw_{place}", subject.kinds[name])) for place, name in raw]
    )
    output = [
        *(column.name for column in subject.dataset.columns),
        f"{_extra_columns(subject)} AS extra_columns",
        *(f"_{column.name} AS {column.name}" for column in LINEAGE),
        f"CASE WHEN reason_bits <> 0 THEN {as_read} END AS row_as_read",
        "_position AS position",
        "reason_bits",
    ]
    steps = [
        *_steps(subject, source, raw),
        ("judged", _select(["*", f"{_reason_bits(subject)} AS reason_bits"], "typed")),
        ("packed", _select(_packed(subject, raw), "judged")),
    ]
    named = ", ".join(f"{name} AS (\n{text}\n)" for name, text in steps)
    return f"WITH {named}\n{_select(output, 'packed')}"


def reasons_of(reason_bits: str) -> str:
    """The reasons behind an expression of `reason_bits`, as an array of texts in the order of `Reason`."""
    found = [
        f"CASE WHEN ({reason_bits} & {bit}) <> 0 THEN {sql.literal(reason)} END"
        for reason, bit in BITS.items()
    ]
    return f"filter(array({', '.join(found)}), reason -> reason IS NOT NULL)"


def _subject(dataset: str, columns: Sequence[tuple[str, str]]) -> Subject:
    known = DATASETS[dataset]
    kinds = {name: kind_family(kind) for name, kind in columns}
    return Subject(known, match_columns(known, list(kinds)), kinds)


def _steps(subject: Subject, source: str, raw: Sequence[tuple[int, str]]) -> list[tuple[str, str]]:
    """The (name, text) of the steps up to `typed`; source columns in `raw` come along as `raw_PLACE`."""
    read = subject.read()
    present = [
        *(f"{_present(subject, column)} AS read_{column.name}" for column, _ in read),
        *(f"{sql.name(name)} AS raw_{place}" for place, name in raw),
        *LINEAGE_COLUMNS,
    ]
    numbers = [
        f"{sql.as_number(f'read_{column.name}', kind)} AS number_{column.name}"
        for column, kind in read
        if sql.needs_number(column, kind)
    ]
    found = {column.name: kind for column, kind in read}
    typed = [
        f"{_typed(column, found.get(column.name))} AS {column.name}" for column in subject.dataset.columns
    ]
    return [
        ("present", _select(present, source)),
        ("numbers", _select(["*", *numbers], "present")),
        ("typed", _select(["*", *typed], "numbers")),
    ]


def _reason_bits(subject: Subject) -> str:
    """The sum of the bits of a row's reasons; a rule that is neither kept nor broken counts as kept."""
    conditions = {reason: predicate(subject) for reason, predicate in PREDICATES.items()}
    cases = [
        f"CASE WHEN {condition} THEN {BITS[reason]} ELSE 0 END"
        for reason, condition in conditions.items()
        if condition is not None
    ]
    return f"\n{INDENT}+ ".join(cases)


def _packed(subject: Subject, raw: Sequence[tuple[int, str]]) -> list[str]:
    """What goes on: few rows need themselves as read, so only those take it along."""
    extra = [f"raw_{place}" for place, _ in _raw(subject, subject.matching.extra)]
    lenient = [f"read_{column.name}" for column, _ in _lenient(subject)]
    fields = ", ".join(f"raw_{place} AS raw_{place}" for place, _ in raw)
    return [
        *(column.name for column in subject.dataset.columns),
        *extra,
        *lenient,
        *(f"_{column.name}" for column in LINEAGE),
        "_position",
        "reason_bits",
        f"CASE WHEN reason_bits <> 0 THEN struct({fields}) END AS _row",
    ]


def _present(subject: Subject, column: Column) -> str:
    """The value of a column: its preferred source's, gaps filled from further sources of the same kind."""
    preferred, *others = subject.matching.sources[column.name]
    alike = [preferred, *(name for name in others if subject.kinds[name] == subject.kinds[preferred])]
    values = [sql.present(sql.name(name), subject.kinds[name]) for name in alike]
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _typed(column: Column, kind: str | None) -> str:
    if kind is None:
        return sql.null_of(column.type)
    return sql.typed(column, kind, f"read_{column.name}", f"number_{column.name}")


def _raw(subject: Subject, names: Sequence[str]) -> list[tuple[int, str]]:
    """Source columns with their places in the file, counted from 1; a column of nulls has nothing to keep."""
    places = {name: place for place, name in enumerate(subject.kinds, start=1)}
    return [(places[name], name) for name in names if subject.kinds[name] != "null"]


def _lenient(subject: Subject) -> list[tuple[Column, str]]:
    """The columns, with their kinds, whose values are kept where their types cannot hold them."""
    return [
        (column, kind) for column, kind in subject.read() if column.lenient and sql.can_fail(column, kind)
    ]


def _extra_columns(subject: Subject) -> str:
    """What has no typed home: unknown columns, and what a lenient column could not hold, by the file's own
    names."""
    entries = [
        (name, sql.as_text(f"raw_{place}", subject.kinds[name]))
        for place, name in _raw(subject, subject.matching.extra)
    ]
    for column, kind in _lenient(subject):
        preferred = subject.matching.sources[column.name][0]
        value = sql.as_text(f"read_{column.name}", kind)
        entries.append((preferred, f"CASE WHEN {column.name} IS NULL THEN {value} END"))
    if not entries:
        return sql.text_map([])
    # Most rows have nothing to keep: the test is cheap, the map is not.
    nothing = f"coalesce({', '.join(value for _, value in entries)}) IS NULL"
    return f"CASE WHEN {nothing} THEN {sql.text_map([])} ELSE {sql.text_map(entries)} END"


def _select(columns: Sequence[str], table: str) -> str:
    # Lines of a finished text are never touched again: a name may hold a line end, and would be another.
    listed = f",\n{INDENT}".join(columns)
    return f"SELECT\n{INDENT}{listed}\nFROM {table}"
