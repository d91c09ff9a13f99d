"""Every scenario of the workflow: its paths and its errors. Plain data, usable without an emulator."""

from tests.workflow.error_scenarios import ERROR_SCENARIOS
from tests.workflow.path_scenarios import PATH_SCENARIOS
from tests.workflow.scenario import Scenario

SCENARIOS = (*PATH_SCENARIOS, *ERROR_SCENARIOS)
BY_NAME: dict[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}
assert len(BY_NAME) == len(SCENARIOS), "two scenarios have the same name"
