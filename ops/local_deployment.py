"""Starts the local account and deploys the app if it has changed; account and synthesis start in parallel."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

from local_aws import account, cdk, paths
from local_aws.account import Account
from ops import deployment
from ops.errors import CliError
from ops.session import LOCAL, Session, Target

SYNTHESIZED = paths.LOCAL / "cdk.out"
SOURCES = ("app.py", "cdk.json", "package-lock.json", "requirements.txt", "stacks", "taxi_etl")
"""The sources of the templates, besides the build."""
BUILT = ("code", "job.zip", "layers/local/*.hash")
_MARK = "deployed"


@dataclass(frozen=True)
class LocalDeployment:
    """A local account that is starting, and a running synthesis of the app unless the account has it."""

    account: Future[Account]
    synthesis: Future[str] | None
    sources: str

    def deploy(self, *, echo: bool) -> str:
        """Deploy the app unless the account has it; return what happened. Raises CdkError."""
        running = self.account.result()
        mark = Path(running.state_dir) / _MARK
        if self.synthesis is None:
            if _is_deployed(running, self.sources):
                return "unchanged since the last deployment"
            cdk.synth(SYNTHESIZED, for_account=True, echo=echo)
        cdk.bootstrap(running, echo=echo)
        if self.synthesis is not None:
            self.synthesis.result()
        cdk.deploy_synthesized(running, SYNTHESIZED, echo=echo)
        mark.write_text(self.sources)
        return f"{len(deployment.stack_names(LOCAL))} stacks"


def start(executor: Executor) -> LocalDeployment:
    """Start the account and, unless it already has the app, the synthesis. Does not fetch Spark's jars."""
    sources = fingerprint()
    running = account.status()
    is_current = running is not None and _is_deployed(running, sources)
    synthesis = None if is_current else executor.submit(cdk.synth, SYNTHESIZED, for_account=True, echo=False)
    return LocalDeployment(executor.submit(account.up, lazy_spark=True), synthesis, sources)


def _is_deployed(running: Account, sources: str) -> bool:
    """Return whether these sources were deployed last, and the app is still there."""
    mark = Path(running.state_dir) / _MARK
    if not mark.exists() or mark.read_text() != sources:
        return False
    try:
        deployment.discover(Session(Target(LOCAL)))
    except CliError:
        return False
    return True


def fingerprint() -> str:
    """Return a hash of everything that a deployment is made from."""
    digest = hashlib.sha256()
    for file in _files():
        digest.update(f"{file}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for found in (paths.CHECKOUT / name for name in SOURCES):
        yield from _files_below(found)
    build = paths.CHECKOUT / "build"
    for found in sorted(path for pattern in BUILT for path in build.glob(pattern)):
        yield from _files_below(found)


def _files_below(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
