"""Every scenario of the workflow: its paths and its errors. Plain data, usable without an emulator."""

from tests.workflow.error_scenarios import ERROR_SCENARIOS
from tests.workflow.path_scenarios import PATH_SCENARIOS
from tests.workflow.scenario import Scenario
from tests.workflow.small_batch_scenarios import SMALL_BATCH_SCENARIOS

SCENARIOS = (*PATH_SCENARIOS, *ERROR_SCENARIOS, *SMALL_BATCH_SCENARIOS)
BY_NAME: dict[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}
assert len(BY_NAME) == len(SCENARIOS), "two scenarios have the same name"
