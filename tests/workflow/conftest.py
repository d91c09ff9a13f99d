"""What do the tests of the workflow share? Its definition as synthesized, and an account that executes it.

The account is their own: it holds state machines, a topic and a crawler, and no function, job or Spark.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.fixtures.local_account import Aws, started_account
from tests.infra.conftest import synthesize, use_pinned_node
from tests.workflow.coverage import REPORT
from tests.workflow.definition import Definition, filled_in, machine_template, reference_values
from tests.workflow.executions import Machines, Run
from tests.workflow.scenarios import ON_SCHEMA_CHANGE, Scenario

use_pinned_node()


@pytest.fixture(scope="session")
def workflow_aws() -> Iterator[Aws]:
    """An account for state machines alone; waits take no time in it."""
    with started_account("-workflow") as account:
        aws = Aws(account)
        aws.wait_scale(0)
        yield aws


@pytest.fixture(scope="session")
def topic_arn(workflow_aws: Aws) -> str:
    """The topic, in the account."""
    arn: str = workflow_aws.client("sns").create_topic(Name="etl-pipeline-notifications")["TopicArn"]
    return arn


@pytest.fixture(scope="session")
def template(synthesized: Callable[[str], Any]) -> Definition:
    """Production's state machine with its references in sight."""
    return machine_template(synthesized(ON_SCHEMA_CHANGE))


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Production's templates with a crawl policy; each is synthesized once."""
    from stacks.settings import PRODUCTION, CrawlPolicy

    made: dict[str, Any] = {}

    def stacks(policy: str) -> Any:
        if policy not in made:
            settings = replace(PRODUCTION, crawl_policy=CrawlPolicy(policy))
            made[policy] = synthesize(tmp_path_factory.mktemp(f"workflow-{policy}"), settings)
        return made[policy]

    return stacks


@pytest.fixture(scope="session")
def executable(synthesized: Callable[[str], Any], topic_arn: str) -> Callable[..., Definition]:
    """Fills in a policy's definition, or a changed template of it."""

    def definition(policy: str = ON_SCHEMA_CHANGE, template: Mapping[str, Any] | None = None) -> Definition:
        stacks = synthesized(policy)
        return filled_in(template or machine_template(stacks), reference_values(stacks, topic_arn))

    return definition


@pytest.fixture(scope="session")
def machines(workflow_aws: Aws) -> Machines:
    """Creates and executes state machines."""
    return Machines(workflow_aws)


class Runs:
    """Each scenario executed once a session, several at once."""

    def __init__(self, machines: Machines, executable: Callable[..., Definition]) -> None:
        self._machines = machines
        self._executable = executable
        self._done: dict[str, Run] = {}

    def all(self, scenarios: list[Scenario]) -> list[Run]:
        """The runs of these scenarios; those that were executed before are not executed again."""
        missing = [scenario for scenario in scenarios if scenario.name not in self._done]
        wanted = [(self._executable(scenario.policy), scenario) for scenario in missing]
        for scenario, run in zip(missing, self._machines.run_all(wanted), strict=True):
            self._done[scenario.name] = run
        return [self._done[scenario.name] for scenario in scenarios]


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest, machines: Machines, executable: Callable[..., Definition]) -> Runs:
    """The runs of the session; the scenarios of all chosen tests are executed when the first is asked for."""
    runs = Runs(machines, executable)
    chosen = [getattr(item, "callspec", None) for item in request.session.items]
    found = {
        value.name: value
        for spec in chosen
        if spec is not None
        for value in spec.params.values()
        if isinstance(value, Scenario)
    }
    runs.all(list(found.values()))
    return runs


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how much of the state machine was executed, if anyone counted."""
    if REPORT in config.stash:
        terminalreporter.section("state machine: executed states and transitions")
        for line in config.stash[REPORT]:
            terminalreporter.write_line(line)
