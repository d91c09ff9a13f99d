"""Single faults put into our own definition, each with the check or scenario that must notice it."""

from tests.workflow.mutants.errors import CATCHES, RETRIES
from tests.workflow.mutants.mutant import Mutant
from tests.workflow.mutants.small_batches import SMALL_BATCHES
from tests.workflow.mutants.transitions import CHOICES, MACHINE, TRANSITIONS
from tests.workflow.mutants.variables import TASKS, VARIABLES

__all__ = ["MUTANTS", "Mutant"]

MUTANTS = (*MACHINE, *TRANSITIONS, *CHOICES, *RETRIES, *CATCHES, *VARIABLES, *TASKS, *SMALL_BATCHES)
