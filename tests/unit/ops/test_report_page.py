"""Tests of the pages' text: markup in data, empty reports, and the file that is written."""

import re
from dataclasses import replace

import pytest

from ops.report import page
from ops.report.execution import execution_report
from ops.report.overview import overview_report
from ops.session import Target
from tests.fixtures.report_documents import execution_facts, overview_facts

MARKUP = "<b class='x\">&lt;"
"""Text with markup, quotes and an entity."""
ESCAPED = "&lt;b class=&#39;x&#34;&gt;&amp;lt;"
PROD = Target("prod")


def marked(value):
    """Return the facts with markup in every text that comes from users or from AWS."""
    facts = execution_facts()
    files = [
        replace(
            file,
            version=replace(file.version, key=value),
            reasons=(value,),
            notes=(value,),
        )
        for file in facts.files
    ]
    result = replace(
        facts.result,
        files=tuple(
            replace(
                file,
                version=replace(file.version, key=value),
                reasons={value: 3},
                new_columns=(value,),
                columns_left_out=((value, value),),
            )
            for file in facts.result.files
        ),
    )
    rows = [replace(facts.rows[0], key=value, reasons=(value,), values={value: value})]
    execution = replace(facts.execution, error=value, cause=value)
    return replace(
        facts,
        execution=execution,
        files=files,
        result=result,
        rows=rows,
        trigger=value,
        links={value: f"https://{value}"},
    )


def test_markup_in_keys_values_and_errors_is_shown_as_text():
    html = page.execution_page(execution_report(marked(MARKUP), PROD), MARKUP)
    assert "<b class" not in html
    assert html.count(ESCAPED) > 20
    assert f'href="https://{ESCAPED}"' in html


def test_markup_in_the_overview_is_shown_as_text():
    facts = overview_facts()
    problem = facts.status.problems[0]
    version = replace(problem.version, key=MARKUP)
    status = replace(
        facts.status,
        problems=[replace(problem, version=version, reasons=(MARKUP,))],
        loaded=[replace(facts.status.loaded[0], dataset=MARKUP)],
        months=[replace(facts.status.months[0], dataset=MARKUP)],
        alarms={MARKUP: "ALARM"},
    )
    html = page.overview_page(overview_report(replace(facts, status=status), PROD))
    assert "<b class" not in html
    assert html.count(ESCAPED) > 5


def test_an_execution_without_files_and_documents_has_a_page():
    facts = replace(execution_facts(), files=[], events=[], result=None, rows=(), queued=None, links={})
    html = page.execution_page(execution_report(facts, PROD), "prod")
    assert "No files" in html
    assert "<svg" not in html


def test_the_months_of_a_dataset_are_listed_as_ranges():
    html = page.overview_page(overview_report(overview_facts(), PROD))
    assert "<td>2013-08 to 2020-10, 2020-12 to 2025-11, 2026-01</td>" in html
    assert "<td>2020-11, 2025-12</td>" in html


def test_an_empty_overview_has_a_page():
    facts = replace(overview_facts(), executions=[], job_runs=[], small_batch_costs={})
    status = replace(facts.status, loaded=[], problems=[], months=[], alarms={})
    html = page.overview_page(overview_report(replace(facts, status=status), PROD))
    assert "None in this period." in html
    assert "<svg" not in html


def test_a_link_that_is_not_an_address_is_text():
    facts = replace(execution_facts(), links={"log": "javascript:1"})
    html = page.execution_page(execution_report(facts, PROD), "prod")
    assert "log: <code>javascript:1</code>" in html
    assert not re.search(r'href="(?!#content|data:,|https://)', html)


def test_a_file_is_replaced_whole_and_readable(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("before")
    page.write_atomically(path, "after ✕")
    assert path.read_text(encoding="utf-8") == "after ✕"
    assert path.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]


def test_text_that_utf_8_cannot_encode_is_escaped(tmp_path):
    path = tmp_path / "report.html"
    page.write_atomically(path, "a\ud800z")
    assert path.read_text(encoding="utf-8") == "a\\ud800z"


def test_a_failed_write_leaves_no_other_file(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        page.write_atomically(path, "text")
    assert list(tmp_path.iterdir()) == [path]
