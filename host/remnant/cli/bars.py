"""Progress of runs side by side: ASCII bars with time left on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time

from ..run import Progress
from .output import Output

PLAIN_EVERY_S = 5.0
_WIDTH = 12  # with the rest of the line it fits a terminal of 80 columns


class Bars:
    """One bar for each name. Use as a context; `say` prints a line without disturbing them."""

    def __init__(self, output: Output, names: list[str]):
        self._output = output
        self.json = output.json
        self._width = max(map(len, names), default=0)
        self._said_at = dict.fromkeys(names, 0.0)
        self._done: set[str] = set()
        self._live = None
        if not output.json and sys.stdout.isatty():
            from rich.console import Console
            from rich.progress import Progress as Live
            from rich.progress import TextColumn

            columns = TextColumn("{task.description}", markup=False), TextColumn("{task.fields[told]}", markup=False)
            self._live = Live(*columns, console=Console(highlight=False, markup=False), refresh_per_second=5)
            self._tasks = {name: self._live.add_task(name.ljust(self._width), total=1.0, told="starting") for name in names}

    def __enter__(self) -> Bars:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        if self._live:
            self._live.console.print(text)
        else:
            self._output.say(text)

    def show(self, name: str, progress: Progress) -> None:
        """Take the progress of a run; called as often as its caller likes."""
        told = shown(progress)
        if self._live:
            filled = int(progress.fraction * _WIDTH)
            bar = "#" * filled + "." * (_WIDTH - filled)
            self._live.update(
                self._tasks[name], completed=progress.fraction, told=f"[{bar}] {_percent(progress)}  {told.removeprefix('run ')}"
            )
            return
        now = time.monotonic()
        last = progress.fraction >= 1.0 and name not in self._done
        if last or (progress.fraction < 1.0 and now - self._said_at[name] >= PLAIN_EVERY_S):
            self._said_at[name] = now
            if last:
                self._done.add(name)
            self._output.say(f"{name.ljust(self._width)}  {_percent(progress)}  {told}")


def shown(progress: Progress) -> str:
    """Return where a run stands: its own time, what it measures, the wall time left."""
    parts = [f"run time {hms(progress.board_s)}"]
    if progress.temp_c is not None:
        parts.append(f"{progress.temp_c:.1f} degC")
    if progress.irradiance_mw_per_cm2:
        parts.append(f"{progress.irradiance_mw_per_cm2:.1f} mW/cm2")
    if progress.history_pages:
        parts.append(f"{progress.history_pages} pages of history to come")
    elif progress.left_s is not None and progress.fraction < 1.0:
        parts.append(f"{hms(progress.left_s)} left")
    return ", ".join(parts)


def _percent(progress: Progress) -> str:
    return f"{int(progress.fraction * 100):3}%"  # rounded down: 100 % is the end and nothing else


def hms(seconds: float) -> str:
    minutes, s = divmod(round(seconds), 60)
    h, minutes = divmod(minutes, 60)
    return f"{h}:{minutes:02}:{s:02}"
