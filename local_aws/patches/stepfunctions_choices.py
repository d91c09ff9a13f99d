"""Choice rules that require a boolean.

MiniStack 1.5.33: Converts the result of a Condition to true or false as JSONata does.
AWS: A Condition that is neither true nor false fails the execution with States.QueryEvaluationError, which a
Choice cannot catch.
Source: Amazon States Language, "Choice State", Condition.
Delete when: MiniStack fails a Choice whose Condition is not a boolean.
"""

import json
from typing import Any

from ministack.services import stepfunctions

from local_aws.patches import patching


def apply() -> None:
    """Replace the evaluation of a rule, but not that of its expression."""
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
