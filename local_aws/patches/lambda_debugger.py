"""A function's process that waits for a debugger.

MiniStack 1.5.33: Starts a function's process with a fixed script and ends it at the function's timeout, so no
debugger can attach.
AWS: The AWS Toolkit for VS Code attaches to a deployed function.
Source: Lambda developer guide, "Remotely debug Lambda functions with Visual Studio Code".
Delete when: MiniStack can start a function's process under debugpy.

Does nothing unless the account was started with `LOCAL_AWS_DEBUG` (`local_aws.debugger`).
"""

from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime

from local_aws import debugger
from local_aws.patches import patching

_BEFORE = '    init = json.loads(sys.stdin.readline())\n    code_dir = init["code_dir"]\n'
_WAIT = f"""    if init["function_name"] == os.environ.get({debugger.VARIABLE!r}):
        sys.path.append(os.environ[{debugger.PACKAGES_VARIABLE!r}])
        import debugpy
        try:
            debugpy.listen(({debugger.HOST!r}, {debugger.PORT}))
        except (OSError, RuntimeError):
            pass  # the port is taken: another process of this function is being debugged
        else:
            debugpy.wait_for_client()
"""


def apply() -> None:
    """Make the worker process wait, and raise the timeout of the debugged function."""
    patching.substitute(lambda_runtime, "_PYTHON_WORKER_SCRIPT", _BEFORE, _BEFORE + _WAIT)
    initialize = patching.replace(
        lambda_runtime.Worker,
        "__init__",
        "self func_name config code_zip",
        lambda self, func_name, config, code_zip: _initialize(initialize, self, func_name, config, code_zip),
    )


def _initialize(
    initialize: Callable[..., None], worker: Any, function: str, config: dict[str, Any], code: bytes
) -> None:
    if function == debugger.target():
        config = {**config, "Timeout": debugger.FUNCTION_TIMEOUT_SECONDS}
    initialize(worker, function, config, code)
