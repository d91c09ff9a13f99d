"""Tests of the reported files from validation to the tables, each with its outcome by hand."""

from dataclasses import dataclass
from typing import Any

import pytest

from taxi_etl.documents import AcceptedFile, FileResult, RejectedFile
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import source_id
from tests.fixtures.file_checks import BUCKET, validated
from tests.fixtures.reported_cases import (
    CASES,
    EVENTS,
    REPORTED,
    TRIP_SQL,
    Failed,
    Loaded,
    Rejected,
    Trip,
    need_reported_files,
    parameters,
    put_reported_files,
)


@dataclass
class Reported:
    """The findings of validation and the results of one job run, by case."""

    lake: Any
    findings: dict[str, Any]
    results: dict[str, FileResult]

    def trips(self, case: str) -> list[Trip]:
        """The rows of a case in yellow_trips."""
        rows = self.lake.query(f"SELECT {TRIP_SQL} FROM {{yellow}} WHERE source_id = '{self._source(case)}'")
        return sorted((Trip(*row) for row in rows), key=repr)

    def quarantined(self, case: str) -> list[tuple[str, str]]:
        """Reasons and text of the quarantined rows of a case."""
        condition = f"source_id = '{self._source(case)}'"
        rows = self.lake.query(f"SELECT reasons, row_as_read FROM {{quarantine}} WHERE {condition}")
        return [(" ".join(reasons), "|".join(as_read.values())) for reasons, as_read in rows]

    def _source(self, case: str) -> str:
        return source_id(BUCKET, self.results[case].version.key)


@pytest.fixture(scope="module")
def reported(module_lake: Any) -> Reported:
    """All reported files, validated and loaded in one job run."""
    need_reported_files()
    keys = put_reported_files(module_lake.storage)
    findings = {name: validated(module_lake.storage, key) for name, key in keys.items()}
    accepted = [finding for finding in findings.values() if isinstance(finding, AcceptedFile)]
    results = {file.version.key: file for file in module_lake.load(*accepted).files}
    by_case = {name: results[key] for name, key in keys.items() if key in results}
    return Reported(module_lake, findings, by_case)


def test_every_reported_folder_has_an_expected_outcome() -> None:
    need_reported_files()
    assert {path.name for path in REPORTED.iterdir()} == {*CASES, EVENTS}


@pytest.mark.parametrize("case", parameters(Rejected))
def test_a_reported_file_is_rejected_with_its_cause(reported: Reported, case: str) -> None:
    expected = CASES[case].outcome
    finding = reported.findings[case]

    assert isinstance(finding, RejectedFile)
    assert [str(reason.code) for reason in finding.reasons] == [expected.code]
    assert [word for word in expected.words if word not in finding.reasons[0].message] == []


@pytest.mark.parametrize("case", parameters(Failed))
def test_a_reported_file_fails_with_its_cause(reported: Reported, case: str) -> None:
    expected = CASES[case].outcome
    result = reported.results[case]

    assert (result.status, str(result.failure.code)) == (FileStatus.FAILED, expected.code)
    assert [word for word in expected.words if word not in result.failure.message] == []
    assert reported.trips(case) == []


@pytest.mark.parametrize("case", parameters(Loaded))
def test_a_reported_file_loads_with_exactly_its_trips(reported: Reported, case: str) -> None:
    expected = CASES[case].outcome
    assert isinstance(reported.findings[case], AcceptedFile), reported.findings[case]
    result = reported.results[case]

    assert result.status is FileStatus.LOADED, result.failure
    assert reported.trips(case) == sorted(expected.trips, key=repr)
    assert reported.quarantined(case) == list(expected.quarantined)
    document = result.to_json()
    assert tuple(each["name"] for each in document.get("columnsLeftOut", [])) == expected.left_out
    assert tuple(document.get("columnsFromKey", ())) == expected.from_key
    assert [each["message"] for each in document.get("warnings", []) if each["code"] != "same_trips"] == []
