"""Tests that no damage ends a load otherwise than declined or loaded: the child process answers each time."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxi_etl.documents import AcceptedFile
from tests.duckdb_engine.conftest import yellow
from tests.fixtures.file_checks import VersionedFolder, key_of, validated

FLIPS = 40


def is_answered(answer) -> bool:
    """Whether a file is declined, or each of its rows is kept once."""
    if answer.declined:
        return True
    [outcome] = answer.outcomes
    return sum(written.rows for written in (outcome.trips, outcome.quarantine) if written) == outcome.read


def test_flipped_bits_are_answered(files, tmp_path):
    texts = pa.array([f"note {number % 7}" for number in range(500)])
    path = yellow(tmp_path / "yellow_tripdata_2024-01.parquet", rows=500, note=texts)
    file, content = files.accept(path), path.read_bytes()
    places = random.Random(5)

    answers = []
    for _ in range(FLIPS):
        damaged = bytearray(content)
        place = places.randrange(4, len(content) - 8)
        damaged[place] ^= 1 << places.randrange(8)
        path.write_bytes(bytes(damaged))
        answers.append(files.ask([path], [file]))

    assert all(map(is_answered, answers))
    assert any(answer.declined for answer in answers)


def test_a_data_page_that_damage_makes_a_dictionary_is_declined(files, tmp_path):
    """DuckDB would go on with the pages of the next column."""
    path = yellow(tmp_path / "yellow_tripdata_2024-01.parquet", rows=500)
    file, content = files.accept(path), bytearray(path.read_bytes())
    place = pq.ParquetFile(path).metadata.row_group(0).column(1).data_page_offset
    assert content[place : place + 2] == b"\x15\x00", "the type of a data page"
    content[place + 1] = 4
    path.write_bytes(content)

    assert files.declined(path, file) == "a page header has an unknown format"


def test_a_page_with_another_number_of_values_is_declined(files, tmp_path):
    path = yellow(tmp_path / "yellow_tripdata_2024-01.parquet", rows=500)
    file, content = files.accept(path), path.read_bytes()
    place = pq.ParquetFile(path).metadata.row_group(0).column(1).data_page_offset
    values = content.index(b"\x15\xe8\x07", place)
    path.write_bytes(content[: values + 1] + b"\xe6" + content[values + 2 :])

    declined = files.declined(path, file)

    assert declined == "a column's pages do not match the sizes and value counts in the footer"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_declined(files, tmp_path, share):
    path = yellow(tmp_path / "yellow_tripdata_2024-01.parquet", rows=500)
    file, content = files.accept(path), path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])

    assert files.declined(path, file)


def test_every_damaged_file_is_rejected_declined_or_loaded(files, tmp_path, shared_data):
    storage = VersionedFolder(tmp_path / "bucket")
    for path in sorted((shared_data / "corrupt").iterdir()):
        key = key_of(path.name)
        storage.put(key, path)
        finding = validated(storage, key)
        if isinstance(finding, AcceptedFile):
            assert is_answered(files.ask([path], [finding])), path.name
