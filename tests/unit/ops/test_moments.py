"""Tests of ages and dates on the command line."""

from datetime import UTC, datetime

import pytest

from ops.moments import parse_since

NOW = datetime(2024, 6, 8, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("45m", datetime(2024, 6, 8, 11, 15, tzinfo=UTC)),
        ("12h", datetime(2024, 6, 8, 0, 0, tzinfo=UTC)),
        ("7d", datetime(2024, 6, 1, 12, tzinfo=UTC)),
        (" 2W ", datetime(2024, 5, 25, 12, tzinfo=UTC)),
        ("2024-06-01T10:00:00+02:00", datetime(2024, 6, 1, 8, tzinfo=UTC)),
        ("2024-06-01", datetime(2024, 6, 1).astimezone()),
    ],
)
def test_an_age_or_a_date_is_a_moment(text, moment):
    assert parse_since(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["", "7", "d", "-7d", "7 years", "999999w", "2024-13-01", "0001-01-01", "yesterday"]
)
def test_another_text_is_an_error_that_shows_the_forms(text):
    with pytest.raises(ValueError, match="neither an age such as 12h or 7d nor a date"):
        parse_since(text, NOW)
