"""Tests that docs/command-output.md has the shape of each command's document, and that differences are found.

`taxi_etl.json` compares every document that a test makes a command print.
"""

import pytest
from test_help_and_errors import named_commands

from tests.fixtures.json_shapes import problems, shapes

FILE = {
    "bucket": "b",
    "key": "k",
    "versionId": "v",
    "status": "loaded",
    "execution": "",
    "dataset": "",
    "rows": {"read": 1},
    "reasons": ["r"],
    "notes": [],
}
UPLOADED = {"schemaVersion": "1", "files": [FILE]}


def test_every_command_has_a_section_and_every_section_is_of_a_command_or_named_shape():
    named = {"Errors", "FILE", "STARTED", "RECORD", "NOTIFICATION", "ITEM"}
    assert set(shapes()) == named | set(named_commands())


def test_every_document_has_its_version_first():
    named = {"FILE", "STARTED", "RECORD", "NOTIFICATION", "ITEM"}
    firsts = [next(iter(shape)) for name, found in shapes().items() if name not in named for shape in found]
    assert set(firsts) == {"schemaVersion"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"rows": None}, None),
        ({"key": None}, ".files[0].key is None, not text"),
        ({"reasons": [1]}, ".files[0].reasons[0] is 1, not text"),
        ({"reasons": "r"}, ".files[0].reasons is not a list"),
        ({"rows": {"read": "1"}}, ".files[0].rows.read is '1', not integer"),
        ({"rows": {"read": True}}, ".files[0].rows.read is True, not integer"),
        ({"more": 1}, ".files[0].more is not documented"),
    ],
)
def test_a_document_of_another_shape_is_found(change, problem):
    document = {**UPLOADED, "files": [{**FILE, **change}]}
    assert problems("upload", document) == ([problem] if problem else [])


def test_a_missing_key_a_wrong_time_and_an_unknown_command_are_found():
    assert problems("crawler stop", {"schemaVersion": "1"}) == [".stopped is missing"]
    last = {"status": "SUCCEEDED", "started": "noon", "error": ""}
    document = {"schemaVersion": "1", "crawler": "c", "state": "READY", "seconds": None, "lastCrawl": last}
    assert problems("crawler status", document) == [".lastCrawl.started is 'noon', not time"]
    assert problems("fly", {}) == ["command-output.md has no section for fly"]


def test_an_error_is_a_document_of_every_command():
    assert problems("list", {"schemaVersion": "1", "error": "no", "nextStep": ""}) == []
