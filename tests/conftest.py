"""What do all tests share? Where the checkout is, and the real files beside it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real and damaged TLC files beside the checkout; tests that need it say so where it is not."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the real TLC files in ../shared/data, which this machine does not have")
    return SHARED_DATA
