"""Fake AWS Glue client with the runs of one job."""

from typing import Any

from fakes.faults import Faulty, fault


class JobRuns(Faulty):
    """Glue's client; `runs` are job runs by ID."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, dict[str, Any]] = {}

    def get_job_run(self, **arguments: Any) -> dict[str, Any]:
        """Return a job run."""
        self.note("get_job_run", arguments)
        if arguments["RunId"] not in self.runs:
            raise fault("EntityNotFoundException", "GetJobRun")
        return {"JobRun": self.runs[arguments["RunId"]]}
