"""Tests that invocations of a function wait for each other when there are many."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

RECORDING = """
import time
def handler(event, context):
    begun = time.time()
    time.sleep(0.5)
    return [begun, time.time()]
"""
AT_ONCE = max(2, os.cpu_count() or 1)


def test_a_function_runs_a_few_times_at_once_and_loses_no_invocation(factory):
    factory.function("waiting", RECORDING)

    def invoke(_: int) -> list[float]:
        answer = factory.aws.client("lambda").invoke(FunctionName="waiting")
        return json.load(answer["Payload"])

    with ThreadPoolExecutor(AT_ONCE + 2) as pool:
        spans = list(pool.map(invoke, range(AT_ONCE + 2)))

    running = [sum(begun <= moment < ended for begun, ended in spans) for moment, _ in spans]
    assert len(spans) == AT_ONCE + 2
    assert max(running) == AT_ONCE
