"""The emulator's process: MiniStack with the patches and the control API.

`local_aws.account` starts it as `python -m local_aws.emulator` with the emulator's own interpreter and
configures it through environment variables. It imports only the standard library, ministack and local_aws.
"""

import os
import signal
import sys
import threading
import time

from ministack import app

from local_aws import control_api, glue_runs, patches
from local_aws.patches import patching
from local_aws.settings import OWNER_VARIABLE


def main() -> None:
    """Apply the patches and serve until a signal ends the process, which also ends the job runs."""
    # A function's process inherits this variable. It must not import from this checkout: only from its
    # bundle, its layers and the emulator's lean environment.
    os.environ.pop("PYTHONPATH", None)
    patching.check_version(app._version())
    patches.apply_all()
    app.app = control_api.with_control_routes(app.app)
    owner = os.environ.get(OWNER_VARIABLE)
    if owner:
        threading.Thread(target=_stop_after, args=(int(owner),), daemon=True).start()
    sys.argv = sys.argv[:1]
    try:
        app.main()
    finally:
        glue_runs.stop_all()
        # Ends threads of executions that still wait.
        os._exit(0)


def _stop_after(owner: int) -> None:
    """Stop this server when its owner's process has ended."""
    while True:
        time.sleep(2)
        try:
            os.kill(owner, 0)
        except ProcessLookupError:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        except PermissionError:
            pass


if __name__ == "__main__":
    main()
