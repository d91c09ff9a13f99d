"""Tests of which packages every function loads: each lengthens its cold starts and has to be audited."""

import re

from tests.conftest import ROOT


def test_the_layer_of_all_functions_holds_powertools_and_nothing_for_tracing() -> None:
    lock = (ROOT / "lambdas" / "layers" / "runtime.txt").read_text()

    # docs/adr/0021-traces-without-a-tracing-sdk.md
    assert re.findall(r"^([\w-]+)==", lock, re.MULTILINE) == [
        "aws-lambda-powertools",
        "jmespath",
        "typing-extensions",
    ]
