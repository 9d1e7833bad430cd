"""Screen output of `aquila`: the one module of the command that prints.

Its rules:
1. stdout holds the result and nothing else: with `--json` exactly one JSON document, else tables and sentences.
2. Progress, warnings, errors and hints go to stderr. Bars only on a terminal; elsewhere one plain line a step, and one
   every ten seconds of a long step.
3. No value of a person is shown, but the operator's own records beside their hits, what `aquila rules` explains, what
   `aquila call` was asked for, and of each kind of finding about a list one field as an example.
4. Text from files and peers stays in its line and is never read as markup; what a reader would not see is named.
5. Files that hold results are written whole or not at all, readable by their owner alone.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from textwrap import fill
from typing import TYPE_CHECKING, TextIO

from aquila.errors import InputError
from aquila.visible import visible
from services.kit.storage.files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from aquila.errors import AquilaError

_PLAIN_WIDTH = 110
_LONGEST_BAR = 30
_STORY_WIDTH = 100
_SILENCE = 10  # seconds


@dataclass(frozen=True, slots=True)
class Table:
    """A table to show: integers and floats are aligned right, everything else left."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Screen:
    """Destination of results and messages.

    Args:
        out: For results; stdout at the time of the call by default.
        err: For everything else; stderr by default.
    """

    as_json: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)

    def result(self, document: Mapping[str, object] | Sequence[object], *views: Table | str) -> None:
        """Show a result: the document with `--json`, else the views one below the other."""
        if self.as_json:
            self.out.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
        else:
            for view in views:
                self.out.write(_rendered(view, self.out) + "\n")
        self.out.flush()

    def narrate(self, *views: Table | str) -> None:
        """Report a sequence of events: on stdout, or on stderr if stdout is for one document."""
        stream = self.err if self.as_json else self.out
        for view in views:
            shown = view if isinstance(view, Table) or view.startswith(" ") else fill(view, _STORY_WIDTH)
            stream.write(_rendered(shown, stream) + "\n")
        stream.flush()

    def note(self, sentence: str) -> None:
        """Report something other than the result to the person."""
        self._say(sentence)

    def show(self, *views: Table | str) -> None:
        """Show the person something that is not the result."""
        for view in views:
            self.err.write(_rendered(view, self.err) + "\n")
        self.err.flush()

    def warn(self, sentence: str) -> None:
        self._say(f"aquila: warning: {sentence}")

    def error(self, error: AquilaError) -> None:
        self.failure(error.message, error.hint)

    def failure(self, sentence: str, hint: str = "") -> None:
        """Report a failure that is not an error of the tree."""
        self._say(f"aquila: error: {sentence}")
        if hint:
            self._say(f"aquila: hint: {hint}")

    @contextmanager
    def progress(self, clock: Callable[[], float] = time.monotonic) -> Iterator[Callable[[str, str, int, int], None]]:
        """Show the progress of each party in each phase; yields a function of phase, party, done and total."""
        if not self.err.isatty():
            yield _PlainProgress(self, clock)
            return
        with _bars(self.err) as bars:
            yield _BarProgress(bars)

    def _say(self, sentence: str) -> None:
        self.err.write(printable(sentence) + "\n")
        self.err.flush()


@dataclass(slots=True)
class _PlainProgress:
    """One line for each phase that a party has ended, and one from time to time while none ends."""

    screen: Screen
    clock: Callable[[], float]
    ended: set[tuple[str, str]] = field(default_factory=set)
    told: float = field(init=False)

    def __post_init__(self) -> None:
        self.told = self.clock()

    def __call__(self, phase: str, party: str, done: int, of: int) -> None:
        now, has_ended = self.clock(), done >= of > 0
        if (phase, party) in self.ended or not (has_ended or now >= self.told + _SILENCE):
            return
        if has_ended:
            self.ended.add((phase, party))
        self.told = now
        self.screen.note(f"{party}: {phase}: {done} of {of}")


@dataclass(slots=True)
class _BarProgress:
    """One bar for each party, which shows its present phase."""

    bars: RichProgress
    tasks: dict[str, TaskID] = field(default_factory=dict)

    def __call__(self, phase: str, party: str, done: int, of: int) -> None:
        if party not in self.tasks:
            self.tasks[party] = self.bars.add_task("", total=max(of, 1), party=printable(party))
        self.bars.update(self.tasks[party], description=printable(phase), completed=done, total=max(of, 1))


def _bars(err: TextIO) -> RichProgress:
    """Return the bars, whose texts are not markup."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.fields[party]}", markup=False),
        BarColumn(_LONGEST_BAR),
        MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=_console(err),
    )


def moment(seconds: int) -> str:
    """Return seconds since 1970 as a date and time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def numbered(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun, such as `1 row` and `2 rows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def printable(text: str) -> str:
    """Return a text in one line, with the name of each letter in its place that a reader would not see."""
    return visible(" ".join(re.split(r"[\t\r\n]", text)))


def check_target(path: Path) -> None:
    """Refuse a file of results that cannot be written, before the work and not after it.

    Raises:
        InputError: Its folder is missing, or is not ours to write in.
    """
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError("output_path_unwritable", path=path)


def write_result(path: Path, content: str | bytes) -> None:
    """Write a file of results whole, readable by its owner alone; a crash leaves the old file.

    Raises:
        InputError: The file cannot be written.
    """
    octets = content if isinstance(content, bytes) else content.encode()
    try:
        if path.exists() and not path.is_file():  # a pipe or a device is written as it is
            path.write_bytes(octets)
            return
        with replacing(path) as file:
            file.write(octets)
    except OSError as error:
        raise InputError("output_write_failed", path=path, fault=error.strerror) from None


def _rendered(view: Table | str, stream: TextIO) -> str:
    """Return a view as lines without blanks at their ends."""
    if isinstance(view, str):
        return "\n".join(printable(line) for line in view.split("\n"))
    console = _console(stream)
    with console.capture() as capture:
        console.print(_rich_table(view))
    return "\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n"))


def _rich_table(table: Table) -> object:
    """Return a table of Rich; its cells are texts, not markup."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable
    from rich.text import Text

    title = Text(table.title, style="bold") if table.title else None
    header = any(table.columns)
    shown = RichTable(box=SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False, show_header=header)
    for place, name in enumerate(table.columns):
        numbers = bool(table.rows) and all(isinstance(row[place], int | float) for row in table.rows)
        shown.add_column(name, justify="right" if numbers else "left")
    for row in table.rows:
        shown.add_row(*(Text(printable(str(cell))) for cell in row))
    return shown


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    return Console(file=stream, width=None if stream.isatty() else _PLAIN_WIDTH, highlight=False, markup=False)
