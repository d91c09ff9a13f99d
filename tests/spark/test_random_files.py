"""Differential test: random trips, written by many writers, load exactly or are refused with a code.

A run of more files is `make differential`. Each file depends on the seed and its number only.
"""

import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from taxi_etl.documents import AcceptedFile
from taxi_etl.file_status import FileStatus
from taxi_etl.identity import source_id
from tests.fixtures.file_checks import BUCKET, key_of, validated
from tests.fixtures.random_trips import TABLE_COLUMNS, RandomTrip
from tests.fixtures.trip_writers import NULL_TOKENS, WRITERS, Written

BATCH = 40
SELECTED = ", ".join(
    f"{TABLE_COLUMNS.get(name, name)}" if name != "note" else "extra_columns" for name in RandomTrip._fields
)


def test_random_files_load_exactly_or_are_refused(
    lake: Any, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    count = request.config.getoption("--random-files")
    seed = request.config.getoption("--random-seed")
    deadline = time.monotonic() + 60 * request.config.getoption("--random-minutes")
    endings, problems = Counter[str](), list[str]()
    for start in range(0, count, BATCH):
        if time.monotonic() > deadline:
            break
        files = {
            number: _write(lake, tmp_path, seed, number) for number in range(start, min(start + BATCH, count))
        }
        for number, (ending, problem) in _load(lake, files).items():
            endings[ending] += 1
            if problem:
                recipe = json.dumps(files[number].recipe, default=str, ensure_ascii=False)
                problems.append(
                    f"file {number} of seed {seed}: {problem}\n  {recipe}\n  {files[number].path}"
                )
    with capsys.disabled():
        print(f"\n{sum(endings.values())} random files of seed {seed}: {dict(endings)}")
    assert endings["loaded"]
    assert not problems, "\n".join([f"{len(problems)} files ended otherwise:", *problems])


def _write(lake: Any, tmp_path: Path, seed: int, number: int) -> Written:
    """Write the file of this number and upload it."""
    folder = tmp_path / str(number)
    folder.mkdir()
    writer = WRITERS[number % len(WRITERS)]
    written = writer(random.Random(f"{seed}-{number}"), folder, lake.spark)
    lake.storage.put(_key(written, number), written.path)
    return written


def _key(written: Written, number: int) -> str:
    suffix = written.path.name.partition(".")[2].replace("snappy.", "").replace("c000.", "")
    ending = next(each for each in ("parquet", "csv.gz", "csv") if suffix.endswith(each))
    return key_of(f"{number}/yellow_tripdata_2019-01.{ending}")


def _load(lake: Any, files: dict[int, Written]) -> dict[int, tuple[str, str]]:
    """Validate the files, load the accepted ones in one job run; returns each ending and its problem."""
    keys = {number: _key(written, number) for number, written in files.items()}
    findings = {number: validated(lake.storage, key) for number, key in keys.items()}
    accepted = [finding for finding in findings.values() if isinstance(finding, AcceptedFile)]
    results = {file.version.key: file for file in lake.load(*accepted).files}
    rows = _rows_by_source(lake)
    found = {}
    for number, written in files.items():
        result = results.get(keys[number])
        if result is None:
            found[number] = _refused(written, findings[number].reasons)
        elif result.status is FileStatus.FAILED:
            found[number] = _refused(written, (result.failure,))
        else:
            stored = rows.get(source_id(BUCKET, keys[number]), [])
            found[number] = "loaded", _difference(written, stored, result.quarantined, result.reasons)
    return found


def _refused(written: Written, reasons: Any) -> tuple[str, str]:
    codes = {str(reason.code) for reason in reasons}
    unexpected = "" if codes & written.refusals else f"refused: {'; '.join(each.message for each in reasons)}"
    return " ".join(sorted(codes)), unexpected


def _rows_by_source(lake: Any) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for source, *values in lake.query(f"SELECT source_id, {SELECTED} FROM {{yellow}}"):
        found.setdefault(source, []).append((*values[:-1], _note(values[-1])))
    return found


def _note(extra: dict[str, str]) -> str | None:
    """The extra column `note`, in which null words are kept as texts."""
    note = next((value for name, value in extra.items() if name.lower() == "note"), None)
    return None if note in NULL_TOKENS else note


def _difference(written: Written, stored: list[tuple[Any, ...]], quarantined: int, reasons: Any) -> str:
    """What is different between the trips and the stored rows, empty if nothing is."""
    if written.refusals:
        return f"loaded, though {written.refusals} was expected"
    if quarantined:
        return f"{quarantined} of {len(written.trips)} rows in quarantine: {dict(reasons)}"
    expected, found = Counter(map(tuple, written.trips)), Counter(stored)
    if expected == found:
        return ""
    for one, other in zip(
        sorted(expected - found, key=repr), sorted(found - expected, key=repr), strict=False
    ):
        columns = zip(RandomTrip._fields, one, other, strict=True)
        wrong = {name: (before, after) for name, before, after in columns if before != after}
        return f"{len(list((expected - found).elements()))} rows differ, for example {wrong}"
    return f"{len(stored)} rows instead of {len(written.trips)}"
