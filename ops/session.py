"""Which AWS account do the commands talk to? One session, its clients made when first needed."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ProfileNotFound

from ops.errors import CliError

LOCAL = "local"
_ANY_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
"""What an emulator named by --endpoint-url is told, so that no real credentials are sent to it."""
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, user_agent_extra="taxi-etl")


@dataclass(frozen=True)
class Target:
    """What the global options say: environment, and where they override boto3's own ways of finding out."""

    environment: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    def command(self, *words: str) -> str:
        """The command line that addresses the same target, for next steps."""
        options = {
            "--environment": self.environment,
            "--region": self.region,
            "--profile": self.profile,
            "--endpoint-url": self.endpoint_url,
        }
        given = [f"{option} {shlex.quote(value)}" for option, value in options.items() if value]
        return " ".join(["taxi-etl", *given, *words])


class Session:
    """boto3's clients for one target; those of the environment `local` go to the running local account."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The boto3 client of a service, made once."""
        if service not in self._clients:
            self._clients[service] = self._boto.client(
                service, config=_CONFIG, endpoint_url=self.endpoint_url
            )
        return self._clients[service]

    def table(self, name: str) -> Any:
        """A DynamoDB table that takes and gives plain Python values."""
        dynamodb = self._boto.resource("dynamodb", config=_CONFIG, endpoint_url=self.endpoint_url)
        return dynamodb.Table(name)

    @property
    def is_local(self) -> bool:
        """Whether the account is the laptop's, which does not know all that AWS knows."""
        return self.target.environment == LOCAL

    @property
    def endpoint_url(self) -> str | None:
        """The endpoint that stands in for AWS, None for AWS itself."""
        return self.target.endpoint_url or self._local.get("AWS_ENDPOINT_URL")

    @property
    def region(self) -> str:
        """The region of the account. Raises CliError when none is set."""
        region = self._boto.region_name
        if not region:
            raise CliError("no region is set", "name one with --region, or set AWS_REGION")
        return str(region)

    def credentials(self) -> tuple[str, str, str | None]:
        """Access key, secret key and session token, for libraries that do not take a boto3 session."""
        found = self._boto.get_credentials()
        if found is None:
            raise CliError("no AWS credentials are set", "sign in (`aws sso login`), or name a --profile")
        frozen = found.get_frozen_credentials()
        return frozen.access_key, frozen.secret_key, frozen.token

    @cached_property
    def _local(self) -> Mapping[str, str]:
        """The local account's environment variables; nothing where another account is meant."""
        if not self.is_local:
            return {}
        return _ANY_CREDENTIALS if self.target.endpoint_url else local_environment()

    @cached_property
    def _boto(self) -> Any:
        try:
            return boto3.Session(
                profile_name=self.target.profile,
                region_name=self.target.region or self._local.get("AWS_REGION"),
                aws_access_key_id=self._local.get("AWS_ACCESS_KEY_ID"),
                aws_secret_access_key=self._local.get("AWS_SECRET_ACCESS_KEY"),
            )
        except ProfileNotFound as error:
            raise CliError(str(error), "see `aws configure list-profiles`, name one with --profile") from None


def local_environment() -> Mapping[str, str]:
    """How clients reach the running local account. Raises CliError when none runs."""
    from local_aws import account  # noqa: PLC0415 - only the environment `local` needs it

    running = account.status()
    if running is None:
        raise CliError(
            "the local AWS is not running", "start it with `taxi-etl local up`, or run `make demo`"
        )
    return dict(running.environment())
