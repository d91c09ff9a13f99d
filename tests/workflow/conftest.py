"""Fixtures of the workflow tests: the synthesized definition, and an emulated account that executes it.

The account belongs to these tests: it holds state machines, a topic and a crawler, but no function or job.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.fixtures.local_account import Aws, started_account
from tests.infra.conftest import synthesize, use_pinned_node
from tests.workflow.coverage import COVERAGE_REPORT
from tests.workflow.definition import Definition, machine_template, reference_values, resolved
from tests.workflow.executions import Execution, StateMachines
from tests.workflow.scenario import GLUE, ON_SCHEMA_CHANGE, Scenario
from tests.workflow.small_batch_scenarios import AUTO

use_pinned_node()


@pytest.fixture(scope="session")
def workflow_aws() -> Iterator[Aws]:
    """An account for state machines only; its waits take no time."""
    with started_account("-workflow") as account:
        aws = Aws(account)
        aws.wait_scale(0)
        yield aws


@pytest.fixture(scope="session")
def topic_arn(workflow_aws: Aws) -> str:
    """The account's topic."""
    arn: str = workflow_aws.client("sns").create_topic(Name="etl-pipeline-notifications")["TopicArn"]
    return arn


@pytest.fixture(scope="session")
def template(synthesized: Callable[..., Any]) -> Definition:
    """Production's state machine with unresolved references."""
    return machine_template(synthesized(ON_SCHEMA_CHANGE))


@pytest.fixture(scope="session")
def auto_template(synthesized: Callable[..., Any]) -> Definition:
    """The state machine of `engine = auto` with unresolved references."""
    return machine_template(synthesized(ON_SCHEMA_CHANGE, AUTO))


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Returns production's templates with a crawl policy and an engine; each pair is synthesized once."""
    from stacks.settings import PRODUCTION, CrawlPolicy
    from taxi_etl.engines import EngineChoice

    found: dict[tuple[str, str], Any] = {}

    def stacks(policy: str, engine: str = GLUE) -> Any:
        if (policy, engine) not in found:
            settings = replace(PRODUCTION, crawl_policy=CrawlPolicy(policy), engine=EngineChoice(engine))
            outdir = tmp_path_factory.mktemp(f"workflow-{policy}-{engine}")
            found[policy, engine] = synthesize(outdir, settings)
        return found[policy, engine]

    return stacks


@pytest.fixture(scope="session")
def executable(synthesized: Callable[..., Any], topic_arn: str) -> Callable[..., Definition]:
    """Return a function that resolves the references of a template's or of these settings' definition."""

    def definition(
        policy: str = ON_SCHEMA_CHANGE, template: Mapping[str, Any] | None = None, engine: str = GLUE
    ) -> Definition:
        stacks = synthesized(policy, engine)
        return resolved(template or machine_template(stacks), reference_values(stacks, topic_arn))

    return definition


@pytest.fixture(scope="session")
def machines(workflow_aws: Aws) -> StateMachines:
    """The account's state machines."""
    return StateMachines(workflow_aws)


class ScenarioExecutions:
    """Executes each scenario once a session."""

    def __init__(self, machines: StateMachines, executable: Callable[..., Definition]) -> None:
        self._machines = machines
        self._executable = executable
        self._executed: dict[str, Execution] = {}

    def all(self, scenarios: list[Scenario]) -> list[Execution]:
        """Return the executions of these scenarios; execute those that are missing."""
        missing = [scenario for scenario in scenarios if scenario.name not in self._executed]
        pairs = [
            (self._executable(scenario.policy, engine=scenario.engine), scenario) for scenario in missing
        ]
        for scenario, execution in zip(missing, self._machines.execute_all(pairs), strict=True):
            self._executed[scenario.name] = execution
        return [self._executed[scenario.name] for scenario in scenarios]


@pytest.fixture(scope="session")
def executions(
    request: pytest.FixtureRequest, machines: StateMachines, executable: Callable[..., Definition]
) -> ScenarioExecutions:
    """The session's executions; the scenarios of all selected tests are executed together at first use."""
    executions = ScenarioExecutions(machines, executable)
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    selected = {
        value.name: value
        for spec in specs
        if spec is not None
        for value in spec.params.values()
        if isinstance(value, Scenario)
    }
    executions.all(list(selected.values()))
    return executions


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print how much of the state machine was executed, if the coverage test ran."""
    if COVERAGE_REPORT in config.stash:
        terminalreporter.section("state machine: executed states and transitions")
        for line in config.stash[COVERAGE_REPORT]:
            terminalreporter.write_line(line)
