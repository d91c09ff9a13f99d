"""The live display of `--wait` on a terminal: files that have ended, and what each execution does now."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ops import history
from ops.commands.context import App
from ops.output import colored, duration, now
from ops.progress import Watch

BAR_WIDTH = 30


def display(app: App, watch: Watch) -> Live:
    """Return the display of what a watch sees; it disappears at its end."""
    view = View(watch, history.usual_seconds(app.session, app.deployment))
    return Live(get_renderable=view.render, console=app.output.stderr, transient=True, refresh_per_second=4)


@dataclass(frozen=True)
class View:
    """The contents of the display; `usual` is an execution's usual duration in seconds, None if unknown."""

    watch: Watch
    usual: float | None
    clock: Callable[[], datetime] = now

    def render(self) -> RenderableType:
        """Return the current display."""
        total = len(self.watch.versions)
        ended = sum(not file.is_waiting for file in self.watch.files)
        files = Table.grid(padding=(0, 1))
        files.add_row(
            ProgressBar(total=total, completed=ended, width=BAR_WIDTH), f"{ended} of {total} files ended"
        )
        return Group(files, *(self._execution(name) for name in list(self.watch.current)))

    def _execution(self, name: str) -> Text:
        """Return the line of a running execution: its state, its job run, and its time and usual time."""
        current = self.watch.current[name]
        elapsed = (self.clock() - current.started).total_seconds()
        run = Text.assemble(", job run ", colored(current.job_run)) if current.job_run else ""
        usual = f" (usually {duration(self.usual)})" if self.usual is not None else ""
        return Text.assemble((f"{name[:12]:<13}", "dim"), current.state, run, f", {duration(elapsed)}{usual}")
