"""Deploys the app into a local account with other settings than those of `local`."""

import sys
from pathlib import Path
from typing import Any

from local_aws import account, cdk

ROOT = Path(__file__).resolve().parents[1]
APP = """\
import sys
from dataclasses import replace

sys.path.insert(0, {root!r})
from stacks import settings
from taxi_etl.engines import EngineChoice

settings.ENVIRONMENTS["local"] = replace(settings.LOCAL, engine=EngineChoice({engine!r}), **{changes!r})
import app

app.main()
"""


def deploy(running: account.Account, folder: Path, engine: str, **changes: Any) -> None:
    """Deploy the app with an engine and further changed settings; its script is written into `folder`."""
    script = folder / f"{engine}.py"
    script.write_text(APP.format(root=str(ROOT), engine=engine, changes=changes))
    cdk.deploy(running, "--app", f"{sys.executable} {script}")
