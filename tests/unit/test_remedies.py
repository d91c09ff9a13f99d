"""Tests of what to do about files that did not load."""

import re

import pytest

from taxi_etl.failures import FailureCode
from taxi_etl.remedies import REMEDIES, Remedy, Then, remedy
from tests.conftest import ROOT


def test_every_failure_code_has_a_remedy() -> None:
    assert list(REMEDIES) == list(FailureCode)


@pytest.mark.parametrize("code", FailureCode)
def test_the_runbook_loads_the_file_in_the_same_way(code: FailureCode) -> None:
    text = (ROOT / "docs" / "runbook.md").read_text()
    [advice] = re.findall(rf"^\| `{code}` \| .+ \| (.+) \|$", text, re.MULTILINE)
    ways = {"upload": (Then.UPLOAD, Then.UPLOAD_ELSEWHERE), "replay": (Then.REPLAY,)}
    named = {way for word, found in ways.items() if word in advice.lower() for way in found}
    if REMEDIES[code].then is Then.NOTHING or not named:  # the runbook refers to another of its sections
        return
    special = {
        FailureCode.TOO_LARGE: {Then.UPLOAD_ELSEWHERE},  # "split it" means new objects
        FailureCode.TOO_MANY_QUARANTINED: {Then.UPLOAD},  # "correct the file" means to upload it
    }
    assert REMEDIES[code].then in named | special.get(code, set())


def test_a_file_with_one_reason_gets_the_advice_of_its_code() -> None:
    found = remedy(["empty: it has 0 bytes"])
    assert found == Remedy("download the file again", Then.UPLOAD)


def test_several_reasons_give_all_advice_once_and_the_most_far_reaching_way() -> None:
    found = remedy(["conflict: a", "unsupported_type: b", "conflict: c"])
    assert found == Remedy(
        "wait until no other execution loads it, and save it as Parquet, CSV or gzipped CSV, "
        "with the suffix .parquet, .csv or .csv.gz",
        Then.UPLOAD_ELSEWHERE,
    )


@pytest.mark.parametrize("reasons", [[], ["code_of_a_later_version: text"]])
def test_an_unknown_reason_refers_to_the_history(reasons: list[str]) -> None:
    assert remedy(reasons) == Remedy("fix the cause that the execution's history shows", Then.REPLAY)
