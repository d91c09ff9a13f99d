"""Points in time on the command line: an age or a date."""

import re
from datetime import datetime, timedelta

_AGE = re.compile(r"(\d{1,6})\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_since(text: str, now: datetime) -> datetime:
    """Return the time of an age before `now` (`45m`, `12h`, `7d`, `2w`), or of an ISO date or time.

    A date or time without a zone is in the machine's zone. Raises ValueError, whose message shows both forms.
    """
    age = _AGE.fullmatch(text.strip().lower())
    try:
        if age:
            return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        found = datetime.fromisoformat(text.strip())
        return found if found.tzinfo else found.astimezone()
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is neither an age such as 12h or 7d nor a date such as 2024-06-01"
        ) from None
