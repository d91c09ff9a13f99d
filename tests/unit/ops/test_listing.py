"""Tests of tables in a pipe, on a wide terminal and on a narrow one."""

import io
import os
import pty
import subprocess
import sys

import pytest
from rich.console import Console
from rich.text import Text

from ops.listing import UNLIMITED
from ops.output import Output, one_line, table
from tests.conftest import ROOT

NAME = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"
LISTING = table(
    *("execution", "status", "reasons"),
    rows=[
        (NAME, "FAILED", "empty: it has 0 bytes\nnot_parquet: it is a workbook"),
        ("short", "SUCCEEDED", None),
    ],
)


def printed(listing, width):
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False, color_system=None)
    console.print(listing, soft_wrap=True)
    return stream.getvalue().splitlines()


def test_in_a_pipe_each_row_is_one_aligned_line_without_trailing_spaces():
    assert printed(LISTING, UNLIMITED) == [
        "execution                                 status     reasons",
        f"{NAME}  FAILED     empty: it has 0 bytes; not_parquet: it is a workbook",
        "short                                     SUCCEEDED  -",
    ]


def test_a_terminal_that_is_wide_enough_keeps_the_lines_of_a_cell():
    assert [line.rstrip() for line in printed(LISTING, 100)] == [
        "execution                                 status     reasons",
        f"{NAME}  FAILED     empty: it has 0 bytes",
        " " * 53 + "not_parquet: it is a workbook",
        "short                                     SUCCEEDED  -",
    ]


def test_a_narrower_terminal_wraps_prose_at_words_and_keeps_the_name():
    assert [line.rstrip() for line in printed(LISTING, 78)] == [
        "execution                                 status     reasons",
        f"{NAME}  FAILED     empty: it has 0 bytes",
        " " * 53 + "not_parquet: it is a",
        " " * 53 + "workbook",
        "short                                     SUCCEEDED  -",
    ]


def test_a_name_in_another_column_is_not_folded_either():
    listing = table("file", "execution", rows=[("a.csv", NAME), ("b.csv", "-")])
    assert [line.rstrip() for line in printed(listing, 47)] == [
        "file   execution",
        f"a.csv  {NAME}",
        "b.csv  -",
    ]
    assert printed(listing, 46)[:2] == ["file a.csv", f"  execution: {NAME}"]


@pytest.mark.parametrize("width", [76, 30])
def test_a_terminal_that_is_too_narrow_for_columns_shows_a_block_for_each_row(width):
    assert printed(LISTING, width) == [
        f"execution {NAME}",
        "  status: FAILED",
        "  reasons: empty: it has 0 bytes; not_parquet: it is a workbook",
        "",
        "execution short",
        "  status: SUCCEEDED",
        "  reasons: -",
    ]


def test_a_line_end_in_a_name_does_not_end_its_line():
    listing = table("file", "execution", rows=[("a\nb.csv", NAME)])
    assert printed(listing, 30) == ["file a; b.csv", f"  execution: {NAME}"]


def test_a_table_without_rows_is_its_headings():
    empty = table("file", "status", rows=[])
    assert printed(empty, UNLIMITED) == ["file  status"]
    assert [line.rstrip() for line in printed(empty, 80)] == ["file  status"]


def test_wide_characters_are_aligned_by_their_width_on_the_screen():
    assert printed(table("file", "rows", rows=[("出租车.csv", 1), ("a.csv", 2)]), UNLIMITED) == [
        "file        rows",
        "出租车.csv  1",
        "a.csv       2",
    ]


def test_nothing_is_folded_or_colored_in_a_pipe(capsys):
    output = Output(as_json=False)
    output.result({}, table("file", "status", rows=[("k" * 500, "FAILED")]), Text("t" * 500, "red"))
    assert capsys.readouterr().out.splitlines() == [
        "file" + " " * 498 + "status",
        "k" * 500 + "  FAILED",
        "t" * 500,
    ]


def test_control_characters_of_names_do_not_reach_the_terminal(capsys):
    output = Output(as_json=False)
    output.result({}, table("file", rows=[("a\x1b[31m\x9bb",)]), Text("key \x1b[2J"), "\x9bplain")
    output.note(one_line(("next: ", "bold"), "a\nb\x1b"))
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["file", "a?[31m?b", "key ?[2J", "?plain"]
    assert printed.err == "next: a?b?\n"


def on_a_terminal(*words, columns):
    """Run a command on a terminal of this width; return the lines that it prints."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "ops", *words]
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        received = b""
        try:
            while chunk := os.read(ours, 65536):
                received += chunk
        except OSError:  # Linux reports the end of the other side as an error
            pass
    os.close(ours)
    return received.decode().replace("\r\n", "\n").splitlines()


def test_a_real_terminal_gets_colors_and_blocks_when_it_is_narrow():
    wide = on_a_terminal("sample", "--list", columns=80)
    assert wide[0].startswith("\x1b[1mvariant")
    narrow = on_a_terminal("sample", "--list", columns=20)
    assert narrow[:3] == [
        "\x1b[1mvariant \x1b[0mY1",
        "  \x1b[1mdataset: \x1b[0myellow",
        "  \x1b[1mformat: \x1b[0mcsv",
    ]
