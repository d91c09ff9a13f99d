"""Tests of the layout of generated SQL: short lines, and the same tokens as before."""

import pytest

from taxi_etl.transform.layout import TOKEN, WIDTH, wrapped

NUMBER = "CASE WHEN n BETWEEN -5 AND 5 AND n = floor(n) THEN CAST(n AS int) END"
LONG = "a_column_with_a_rather_long_name_for_a_column"


def tokens(text: str) -> list[str]:
    return [token for token in TOKEN.findall(text) if not token.isspace()]


def test_a_short_expression_stays_on_one_line():
    assert wrapped(f"{NUMBER} AS whole", 4) == f"{NUMBER} AS whole"


def test_a_long_case_has_a_branch_a_line():
    assert wrapped(NUMBER.replace("n ", f"{LONG} ").replace("(n)", f"({LONG})"), 2) == (
        "CASE\n"
        f"    WHEN {LONG} BETWEEN -5 AND 5\n"
        f"         AND {LONG} = floor({LONG})\n"
        f"    THEN CAST({LONG} AS int)\n"
        "  END"
    )


def test_a_long_call_has_an_argument_a_line():
    assert wrapped(f"coalesce({LONG}, {LONG}, nullif({LONG}, '')) AS found", 2) == (
        f"coalesce(\n    {LONG},\n    {LONG},\n    nullif({LONG}, '')\n  ) AS found"
    )


@pytest.mark.parametrize(
    "name",
    ["`two\nlines (`", "`a``b, c CASE`", "'it\\'s ) WHEN'", "r'^[(]OR$'", "`  two  spaces  `", "`CASE`"],
)
def test_quoted_names_and_texts_stay_as_they_are(name):
    expression = f"CASE WHEN {name} = {LONG} OR {name} IS NULL THEN f({name}, {LONG}) ELSE {LONG} END AS x"

    found = wrapped(expression, 4)

    assert tokens(found) == tokens(expression)
    assert max(map(len, found.replace(name, "").split("\n"))) <= WIDTH
