"""Draws the picture of the reports in README.md: `make screenshot`."""

import tempfile
from pathlib import Path

from tests.browser.conftest import run_in_browser, write_pages
from tests.conftest import ROOT

IMAGE = ROOT / "docs" / "images" / "reports.png"


def main() -> None:
    """Write the pages of the sample reports and draw them."""
    IMAGE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run_in_browser("screenshot.mjs", {**write_pages(Path(folder)), "image": str(IMAGE)})


if __name__ == "__main__":
    main()
