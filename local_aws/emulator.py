"""What runs in the emulator's process? MiniStack with our patches, and a small control door for tests.

Started by `local_aws.account` as `python -m local_aws.emulator` with the emulator's own interpreter;
everything it needs comes in environment variables. Imports the standard library, ministack and local_aws
only.
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
    """Apply the patches and serve until told to stop; job runs do not outlive the server."""
    # What a Lambda function may import is its bundle, its layers and the emulator's lean environment:
    # its process inherits these variables, and must not find this checkout through them.
    os.environ.pop("PYTHONPATH", None)
    patching.check_version(app._version())
    patches.apply_all()
    app.app = control_api.door(app.app)
    owner = os.environ.get(OWNER_VARIABLE)
    if owner:
        threading.Thread(target=_stop_without, args=(int(owner),), daemon=True).start()
    sys.argv = sys.argv[:1]
    try:
        app.main()
    finally:
        glue_runs.stop_all()
        # threads of executions still waiting somewhere must not hold the process
        os._exit(0)


def _stop_without(owner: int) -> None:
    """Stop this server once the process that wanted it is gone, however that ended."""
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
