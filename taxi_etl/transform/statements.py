"""Which SQL turns a file's rows into rows of a table? One statement, which gives each row once.

Steps: `present` (blank is null), `numbers` (texts as doubles), `typed` (columns of the table), `judged` (can
the row be true?). Each is a step of its own so that an engine computes it once for a row. Whoever runs the
statement sends rows without `reasons` to the dataset's table, the others to quarantine.
"""

from collections.abc import Sequence

from taxi_etl.datasets import DATASETS
from taxi_etl.schema import Column, family, match_columns
from taxi_etl.transform import expressions as sql
from taxi_etl.transform.predicates import PREDICATES, Subject
from taxi_etl.transform.sources import SOURCE

INDENT = "  "


def judged(dataset: str, columns: Sequence[tuple[str, str]], source: str = SOURCE) -> str:
    """Every row of `source` once, in the columns of the dataset's table and what quarantine wants to know.

    `columns` are the (name, kind) pairs of `sources.source_columns`, `source` the view that has them. A row
    that can be true has null `reasons`; another has all of them, and itself as the file has it in
    `row_as_read`. `position` is known of every row whose reader knows it.
    """
    subject = _subject(dataset, columns)
    raw = _raw(subject, [name for name, _ in columns])
    rules = _rules(subject)
    found = [f"CASE WHEN {condition} THEN {sql.literal(reason)} END" for reason, condition in rules.items()]
    reasons = f"filter(array(\n{_indented(_joined(found))}\n), reason -> reason IS NOT NULL)"
    as_read = sql.text_map([(name, _raw_text(subject, place, name)) for place, name in raw])
    output = [
        *(column.name for column in subject.dataset.columns),
        f"{_extra_columns(subject)} AS extra_columns",
        *_LINEAGE_OUTPUT,
        # Lists and maps are dear, and few rows need them.
        f"CASE WHEN _held THEN {reasons} END AS reasons",
        f"CASE WHEN _held THEN {as_read} END AS row_as_read",
        "_position AS position",
    ]
    held = f"coalesce(\n{_indented(_any_of(rules))}\n, false) AS _held"
    steps = [*_steps(subject, source, raw), ("judged", _select(["*", held], "typed"))]
    named = ", ".join(f"{name} AS (\n{_indented(text)}\n)" for name, text in steps)
    return f"WITH {named}\n{_select(output, 'judged')}"


_LINEAGE_OUTPUT = [
    "_source_id AS source_id",
    "_source_file AS source_file",
    "_source_version AS source_version",
    "_ingested_at AS ingested_at",
    "_run_id AS run_id",
]
_LINEAGE_INPUT = [
    "_source_id",
    "_source_file",
    "_source_version",
    "_position",
    "_pickup_from",
    "_pickup_until",
]


def _subject(dataset: str, columns: Sequence[tuple[str, str]]) -> Subject:
    known = DATASETS[dataset]
    kinds = {name: family(kind) for name, kind in columns}
    return Subject(known, match_columns(known, list(kinds)), kinds)


def _steps(subject: Subject, source: str, raw: Sequence[tuple[int, str]]) -> list[tuple[str, str]]:
    """The (name, text) of the steps up to `typed`; source columns in `raw` come along as `raw_PLACE`."""
    read = subject.read()
    present = [
        *(f"{_present(subject, column)} AS read_{column.name}" for column, _ in read),
        *(f"{sql.name(name)} AS raw_{place}" for place, name in raw),
        *_LINEAGE_INPUT,
        "_run_id",
        "_ingested_at",
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


def _rules(subject: Subject) -> dict[str, str]:
    """The condition of every reason that a row of this file could have."""
    conditions = {str(reason): predicate(subject) for reason, predicate in PREDICATES.items()}
    return {reason: condition for reason, condition in conditions.items() if condition is not None}


def _any_of(rules: dict[str, str]) -> str:
    return "\nOR ".join(f"({condition})" for condition in rules.values())


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


def _raw_text(subject: Subject, place: int, name: str) -> str:
    return sql.as_text(f"raw_{place}", subject.kinds[name])


def _extra_columns(subject: Subject) -> str:
    """What has no typed home: unknown columns, and what a lenient column could not hold, by the file's own
    names."""
    entries = [
        (name, _raw_text(subject, place, name)) for place, name in _raw(subject, subject.matching.extra)
    ]
    for column, kind in subject.read():
        if column.lenient and sql.can_fail(column, kind):
            preferred = subject.matching.sources[column.name][0]
            value = sql.as_text(f"read_{column.name}", kind)
            entries.append((preferred, f"CASE WHEN {column.name} IS NULL THEN {value} END"))
    if not entries:
        return sql.text_map([])
    # Most rows have nothing to keep: the test is cheap, the map is not.
    nothing = f"coalesce({', '.join(value for _, value in entries)}) IS NULL"
    return f"CASE WHEN {nothing} THEN {sql.text_map([])} ELSE {sql.text_map(entries)} END"


def _select(columns: Sequence[str], table: str) -> str:
    return f"SELECT\n{_indented(_joined(columns))}\nFROM {table}"


def _joined(parts: Sequence[str]) -> str:
    return ",\n".join(parts)


def _indented(text: str) -> str:
    return "\n".join(INDENT + line for line in text.splitlines())
