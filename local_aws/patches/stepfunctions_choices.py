"""When does a Choice's rule match? When its Condition gives true; what is no boolean fails the execution.

AWS: a Condition must evaluate to true or false, anything else is States.QueryEvaluationError, which a Choice
cannot catch. The emulator takes numbers, texts and objects for true or false as JSONata does.
Source: Amazon States Language, "Choice State", JSONata's Condition.
"""

import json
from typing import Any

from ministack.services import stepfunctions

from local_aws.patches import patching


def apply() -> None:
    """Replace the evaluation of a rule; the expression itself is evaluated as before."""
    patching.attribute(stepfunctions, "_apply_jsonata_template")
    patching.replace(stepfunctions, "_evaluate_jsonata_choice_rule", "rule raw_input ctx", _matches)


def _matches(rule: dict[str, Any], raw_input: Any, ctx: Any) -> bool:
    found = stepfunctions._apply_jsonata_template(rule["Condition"], raw_input, ctx)
    if not isinstance(found, bool):
        raise stepfunctions._ExecutionError(
            "States.QueryEvaluationError",
            "The JSONata expression specified for the field 'Condition' returned an unexpected result type. "
            f"Expected 'boolean', but was {json.dumps(found)}",
        )
    return found
