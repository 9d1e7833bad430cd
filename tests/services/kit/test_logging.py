"""Log lines: JSON, a fixed list of fields, and never what an exception quotes."""

import json
import logging
import warnings
from typing import Any

import pytest

from aquila.errors import DigestError
from aquila.sentences import quoted
from services.kit.logging import Log, error_fields
from tests.support.log_lines import Lines

SECRET = "Muhamed Petrović"


def _parsed(lines: Lines) -> list[dict[str, Any]]:
    return [json.loads(line) for line in str(lines).splitlines()]


def _fault() -> None:
    raise ValueError(SECRET)


def test_a_line_has_time_level_logger_event_and_fields(lines: Lines) -> None:
    Log("node.rounds").info("chunk_stored", round="r1", chunk=3)
    (line,) = _parsed(lines)
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "info", "logger": "aquila.node.rounds", "event": "chunk_stored", "round": "r1", "chunk": 3}


def test_a_field_that_is_not_listed_is_left_out_by_value(lines: Lines) -> None:
    Log("x").info("event", name=SECRET, round="r1", bytes=b"x")  # type: ignore[call-arg,arg-type]  # what the test is about
    (line,) = _parsed(lines)
    assert line["left_out"] == ["name", "bytes"]
    assert "Muhamed" not in str(lines)
    assert line["round"] == "r1"


def test_a_foreign_exception_is_class_and_place(lines: Lines) -> None:
    """The message, which may quote a record, is nowhere, and neither is its cause's."""
    try:
        try:
            _fault()
        except ValueError as error:
            raise KeyError(SECRET) from error
    except KeyError as error:
        Log("x").error("failed", error=error)
    (line,) = _parsed(lines)
    assert line["error"] == "builtins.KeyError"
    assert line["cause"] == ["builtins.ValueError"]
    assert "test_logging.py" in line["trace"][-1]
    assert "Muhamed" not in str(lines)


def test_an_error_of_the_tree_is_written_with_its_fields(lines: Lines) -> None:
    """Its message and fields hold no secrets, and say what a person needs; of its cause only the class is written."""
    try:
        try:
            _fault()
        except ValueError:
            raise DigestError(quoted("another digest"), chunk=3) from None
    except DigestError as error:
        Log("x").warning("failed", error=error)
    (line,) = _parsed(lines)
    assert (line["error"], line["message"], line["fields"]) == ("DigestError", "another digest", {"chunk": 3})
    assert line["cause"] == ["builtins.ValueError"]
    assert "Muhamed" not in str(lines)


def test_a_foreign_library_s_record_is_its_place(lines: Lines) -> None:
    """What uvicorn, asyncio or SQLAlchemy write is not ours to judge: the place is enough."""
    try:
        _fault()
    except ValueError:
        logging.getLogger("asyncio").exception("failed for %s", SECRET)
    logging.getLogger("httpx").info("GET https://h/?name=%s", SECRET)
    (line,) = _parsed(lines)
    assert line["event"] == "foreign"
    assert line["logger"] == "asyncio"
    assert line["place"].startswith("kit/test_logging.py:")
    assert line["error"] == "builtins.ValueError"
    assert "Muhamed" not in str(lines)


def test_a_warning_is_a_foreign_record(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(capture=True)
        warnings.warn(SECRET, stacklevel=1)
    assert _parsed(lines)[0]["logger"] == "py.warnings"
    assert "Muhamed" not in str(lines)


def test_levels_below_the_configured_one_are_not_written(lines: Lines) -> None:
    logging.getLogger("aquila").setLevel(logging.WARNING)
    Log("x").debug("fine")
    Log("x").info("fine")
    Log("x").warning("less_fine")
    assert [line["event"] for line in _parsed(lines)] == ["less_fine"]


def test_a_ring_of_causes_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert len(error_fields(first)["cause"]) == 5  # type: ignore[arg-type]  # a list


@pytest.mark.parametrize("text", ["line\nbreak", "\x1b[2J", '"}'])
def test_one_event_stays_one_line(lines: Lines, text: str) -> None:
    Log("x").info("event", round=text)
    assert str(lines).count("\n") == 1
    assert "\x1b" not in str(lines)
    assert _parsed(lines)[0]["round"] == text
