"""What does a function need of Glue? To look at a job run."""

from typing import Any

from fakes.faults import Faulty, fault


class JobRuns(Faulty):
    """The runs of one job, by id."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[str, dict[str, Any]] = {}

    def get_job_run(self, **arguments: Any) -> dict[str, Any]:
        self.note("get_job_run", arguments)
        if arguments["RunId"] not in self.runs:
            raise fault("EntityNotFoundException", "GetJobRun")
        return {"JobRun": self.runs[arguments["RunId"]]}
