"""Progress on stderr: bars that move on a terminal, and where it is a file or a pipe a line now and then."""

from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from ..clock import monotonic_s
from .tables import PlainConsole

EVERY_S = 15.0  # between two lines


class Bars(Progress):
    """Progress bars on stderr, gone at the end; where it is no terminal, a line every EVERY_S seconds.

    A task's description may change as it goes; its total is None for what has no end.
    """

    def __init__(self, console: Console | None = None) -> None:
        console = console or PlainConsole(stderr=True)
        columns = TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), _Count(), TimeElapsedColumn()
        super().__init__(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._start_s = self._told_s = monotonic_s()

    def update(self, task_id: Any, **changes: Any) -> None:
        """Move a bar as rich does; where stderr is no terminal, print a line now and then instead."""
        super().update(task_id, **changes)
        now_s = monotonic_s()
        if self.disable and now_s - self._told_s >= EVERY_S:
            self._told_s = now_s
            task = next(task for task in self.tasks if task.id == task_id)
            line = f"{now_s - self._start_s:.0f} s: {task.description} {_Count().render(task)}".rstrip()
            self.console.print(line, soft_wrap=True)


class _Count(ProgressColumn):
    """A column that shows how far a bar is, like 12/40; nothing where there is no total."""

    def render(self, task: Task) -> Text:
        return Text("" if task.total is None else f"{task.completed:,.0f}/{task.total:,.0f}")
