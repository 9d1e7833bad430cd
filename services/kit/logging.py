"""Logs: one JSON object a line on stderr, through the standard library's logging.

What a line may say is fixed. An event is a constant name in the code; its fields are those of `Fields` and no others:
the type checker refuses another one, and at run time its value is left out. Of a foreign exception or a foreign
library's record only the class and the place are written, never the message, because a message may quote what it
failed on. Bodies, paths and query strings of calls are never written; the route's template is.

Each call has an id: a caller makes a random one, and both services write it on each line about the call.
So one search finds a call in the logs of a node and of the matcher. An id says nothing by itself: it is random. One of
another form is not taken from a caller, whose text would otherwise be in the log.
"""

import json
import logging
import re
import secrets
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO, TypedDict, Unpack, cast

from starlette.types import Scope

from aquila.errors import AquilaError

ROOT = "aquila"
REQUEST: ContextVar[str] = ContextVar("services.kit.logging.request", default="")
"""The id of the call that is answered or made here; each line that is written meanwhile bears it."""

TRACE_LIMIT = 12


class Fields(TypedDict, total=False):
    """The fields a line may have besides `time`, `level`, `logger` and `event`; none can hold person data.

    The names are shared by node and matcher, so that one search finds a round on both sides.
    """

    request: str
    round: str
    party: str
    counterpart: str
    person: str
    submission: str
    chunk: int
    input_class: str
    state: str
    step: str
    driver: str
    transaction: str
    method: str
    route: str
    status: int
    problem: str
    incident: str
    count: int
    elements: int
    bytes: int
    milliseconds: int
    seconds: int
    port: int
    url: str
    version: str
    revision: str
    file: str
    code: str
    error: BaseException


class Log:
    """A named logger of events. Creating one opens nothing; `configure` sets the destination."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"{ROOT}.{name}")

    def debug(self, event: str, **fields: Unpack[Fields]) -> None:
        """Write what only a developer needs."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: Unpack[Fields]) -> None:
        """Write a step that was taken."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: Unpack[Fields]) -> None:
        """Write what will be tried again or was refused."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: Unpack[Fields]) -> None:
        """Write what a person has to look at."""
        self._write(logging.ERROR, event, fields)

    def _write(self, level: int, event: str, fields: Fields) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, extra={"aquila_fields": fields}, stacklevel=3)


class JsonLines(logging.Formatter):
    """Turns a record into one line of JSON, by the rules of this module."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, ours or a foreign library's."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        fields = getattr(record, "aquila_fields", None)
        if fields is None:
            line |= {"event": "foreign", "place": f"{_short(record.pathname)}:{record.lineno}"}
            if record.exc_info and record.exc_info[1] is not None:
                line |= error_fields(record.exc_info[1])
        else:
            line |= {"event": record.msg} | _allowed(cast("Fields", fields))
            if request := REQUEST.get():
                line.setdefault("request", request)
        return json.dumps(line, ensure_ascii=True, separators=(",", ":"))


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send all logging of the process to `stream` (stderr) as JSON lines; foreign libraries from `warning` on."""
    destination = logging.StreamHandler(stream or sys.stderr)
    destination.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [destination]
    root.setLevel(logging.WARNING)
    # A warning of Python's own may quote a value; it becomes a foreign record, which keeps the place only.
    logging.captureWarnings(capture=True)
    logging.getLogger(ROOT).setLevel(level.upper())


def error_fields(error: BaseException) -> dict[str, object]:
    """Return the loggable parts of an exception: of ours everything, of others class and code locations."""
    if isinstance(error, AquilaError):
        ours: dict[str, object] = {"error": type(error).__name__, "message": error.message, "fields": error.fields}
        return ours if error.__context__ is None else ours | {"cause": [_name(cause) for cause in _causes(error)]}
    theirs: dict[str, object] = {"error": _name(error), "trace": _places(error)}
    causes = [_name(cause) for cause in _causes(error)]
    return theirs | {"cause": causes} if causes else theirs


def _allowed(fields: Fields) -> dict[str, object]:
    """Return the fields that the list allows, and the names of those that it does not."""
    line: dict[str, object] = {}
    for name, value in fields.items():
        if name == "error" and isinstance(value, BaseException):
            line |= error_fields(value)
        elif name in Fields.__annotations__ and isinstance(value, (str, int)):
            line[name] = value
        else:
            line["left_out"] = [*cast("list[str]", line.get("left_out", [])), name]
    return line


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an exception to what it was raised for; at most a handful, so that a ring cannot hold us."""
    for _ in range(5):
        cause = error.__cause__ or error.__context__
        if cause is None:
            return
        yield cause
        error = cause


def _places(error: BaseException) -> list[str]:
    """Return the innermost places of a traceback, without source lines and values."""
    frames = traceback.extract_tb(error.__traceback__, limit=-TRACE_LIMIT)
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _name(error: BaseException) -> str:
    """Return the class of an exception with its module."""
    return f"{type(error).__module__}.{type(error).__qualname__}"


def _short(filename: str) -> str:
    """Return the last two parts of a path: enough to find the file, and nothing of the machine."""
    return "/".join(Path(filename).parts[-2:])


HEADER = "x-request-id"
_ID_BYTES = 16
_FORM = re.compile(rf"[0-9a-f]{{{2 * _ID_BYTES}}}")


def id_of(scope: Scope) -> str:
    """Return the id that a call bears once and in its strict form, else a new one."""
    named = [value for name, value in scope["headers"] if name == HEADER.encode()]
    shown = named[0].decode("latin-1") if len(named) == 1 else ""
    return shown if _FORM.fullmatch(shown) else new_id()


def new_id() -> str:
    return secrets.token_hex(_ID_BYTES)


@contextmanager
def carrying(request_id: str) -> Iterator[None]:
    """Let the lines that are written in the block bear an id."""
    token = REQUEST.set(request_id)
    try:
        yield
    finally:
        REQUEST.reset(token)
