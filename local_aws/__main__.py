"""How is the local account used by hand? `python -m local_aws up|down|status`."""

import argparse
import sys

from local_aws import account, lean_environment, spark


def main() -> int:
    """The command line of the local account; returns the exit code: 0 done, 1 failed or not running."""
    parser = argparse.ArgumentParser(prog="python -m local_aws", description="The local AWS account.")
    parser.add_argument("command", choices=("up", "down", "status"))
    parser.add_argument("--port", type=int, default=account.DEFAULT_PORT, help="0 takes a free one")
    options = parser.parse_args()
    try:
        if options.command == "down":
            print("stopped" if account.down() else "no local account was running")
            return 0
        found = account.up(port=options.port) if options.command == "up" else account.status()
    except (account.LocalAwsError, lean_environment.EnvironmentBroken, spark.JarsMissing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if found is None:
        print("no local account is running")
        return 1
    for name, value in found.environment().items():
        print(f"export {name}={value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
