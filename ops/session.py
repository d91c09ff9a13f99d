"""The AWS account that the commands use: one session that creates each client on first use."""

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
_EMULATOR_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
}
"""What an emulator given by --endpoint-url receives, so that no real credentials are sent to it."""
_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, user_agent_extra="taxi-etl")


@dataclass(frozen=True)
class Target:
    """The global options: the environment, and what overrides boto3's own configuration."""

    environment: str
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    def command(self, *words: str) -> str:
        """Return a `taxi-etl` command for the same target, for next steps; words are quoted for a shell."""
        options = {
            "--environment": self.environment,
            "--region": self.region,
            "--profile": self.profile,
            "--endpoint-url": self.endpoint_url,
        }
        given = [word for option, value in options.items() if value for word in (option, value)]
        return shlex.join(["taxi-etl", *given, *words])


class Session:
    """The boto3 clients for one target; those of the environment `local` use the running local account."""

    def __init__(self, target: Target, config: Config = _CONFIG) -> None:
        self.target = target
        self._config = config
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service; it is created once."""
        if service not in self._clients:
            self._clients[service] = self._boto.client(
                service, config=self._config, endpoint_url=self.endpoint_url
            )
        return self._clients[service]

    def table(self, name: str) -> Any:
        """Return a DynamoDB table resource, which uses plain Python values."""
        dynamodb = self._boto.resource("dynamodb", config=self._config, endpoint_url=self.endpoint_url)
        return dynamodb.Table(name)

    @property
    def is_local(self) -> bool:
        """Whether the account is the local one, which does not keep every setting that AWS keeps."""
        return self.target.environment == LOCAL

    @property
    def endpoint_url(self) -> str | None:
        """The endpoint that replaces AWS, None for AWS itself."""
        return self.target.endpoint_url or self._local.get("AWS_ENDPOINT_URL")

    @property
    def region(self) -> str:
        """The region. Raises CliError if none is configured."""
        region = self._boto.region_name
        if not region:
            raise CliError("no AWS region is configured", "give --region, or set AWS_REGION")
        return str(region)

    def credentials(self) -> tuple[str, str, str | None]:
        """Return access key, secret key and session token, for libraries that take no boto3 session."""
        found = self._boto.get_credentials()
        if found is None:
            raise CliError("no AWS credentials were found", "sign in (aws sso login), or give --profile")
        frozen = found.get_frozen_credentials()
        return frozen.access_key, frozen.secret_key, frozen.token

    @cached_property
    def _local(self) -> Mapping[str, str]:
        """The environment variables of the local account; empty for any other environment."""
        if not self.is_local:
            return {}
        return _EMULATOR_ENVIRONMENT if self.target.endpoint_url else local_environment()

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
            raise CliError(
                str(error), "give an existing --profile; list them: aws configure list-profiles"
            ) from None


def local_environment() -> Mapping[str, str]:
    """Return the environment variables of the running local account. Raises CliError if none is running."""
    from local_aws import account  # noqa: PLC0415 - only the environment `local` needs it

    running = account.status()
    if running is None:
        raise CliError("the local account is not running", "start it: taxi-etl local up (or run make demo)")
    return dict(running.environment())
