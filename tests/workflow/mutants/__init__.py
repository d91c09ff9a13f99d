"""What if the definition had one fault? Single faults of our own definition, each with who must catch it."""

from tests.workflow.mutants.data import TASKS, VARIABLES
from tests.workflow.mutants.errors import CATCHES, RETRIES
from tests.workflow.mutants.fault import Mutant
from tests.workflow.mutants.transitions import CHOICES, TRANSITIONS

__all__ = ["MUTANTS", "Mutant"]

MUTANTS = (*TRANSITIONS, *CHOICES, *RETRIES, *CATCHES, *VARIABLES, *TASKS)
