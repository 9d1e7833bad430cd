"""What reaches the screen: JSON alone on stdout, no control characters, files whole or not at all."""

import io
import json
from pathlib import Path

import pytest

from aquila.errors import InputError
from clients.cli.output.screen import Screen, Table, check_target, numbered, printable, write_result


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_json_alone() -> None:
    """With --json stdout holds one document, and stories go to stderr."""
    out, err = io.StringIO(), io.StringIO()
    screen = Screen(as_json=True, out=out, err=err)
    screen.narrate("a story")
    screen.result({"name": "Đorđe"}, "a sentence")
    assert json.loads(out.getvalue()) == {"name": "Đorđe"}
    assert err.getvalue() == "a story\n"


def test_hostile_text() -> None:
    """Control characters, direction marks and markup of others do nothing, and are seen."""
    out = io.StringIO()
    Screen(out=out).result({}, Table("t", ("a",), [("\x1b[31m[bold]x\u202ey[/bold]",)]), "two\x07lines\nhere")
    assert "\x1b" not in out.getvalue()
    assert "[U+001B][31m[bold]x[U+202E]y[/bold]" in out.getvalue()
    assert out.getvalue().endswith("two[U+0007]lines\nhere\n")
    assert printable("a\nb\x00c\u202e") == "a b[U+0000]c[U+202E]"


def test_plain_progress() -> None:
    """Without a terminal each ended phase is one line, once."""
    err = io.StringIO()
    with Screen(err=err).progress() as told:
        for done in (0, 1, 2, 2):
            told("blind", "SI", done, 2)
        told("blind", "RS", 0, 0)
    assert err.getvalue() == "SI: blind: 2 of 2\n"


def test_plain_progress_of_a_long_phase() -> None:
    err, now = io.StringIO(), [0.0]
    with Screen(err=err).progress(lambda: now[0]) as told:
        for now[0], done in ((9, 1), (10, 2), (15, 3), (20, 4), (21, 9), (30, 9)):
            told("blind", "SI", done, 9)
    assert err.getvalue().splitlines() == [f"SI: blind: {done} of 9" for done in (2, 4, 9)]


def test_bars() -> None:
    err = _Terminal()
    with Screen(err=err).progress() as told:
        told("blind", "SI", 1, 2)
        told("evaluate", "SI", 2, 2)
    assert "SI" in err.getvalue()
    assert "evaluate" in err.getvalue()


def test_file_of_results(tmp_path: Path) -> None:
    """A file of results is replaced whole and is the owner's alone."""
    path = tmp_path / "hits.csv"
    path.write_text("old")
    check_target(path)
    write_result(path, "new\n")
    assert path.read_text() == "new\n"
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


def test_unusable_target(tmp_path: Path) -> None:
    """A folder, or a file in a folder that is not there, is refused before the work and at its end."""
    for path in (tmp_path, tmp_path / "missing" / "hits.csv"):
        with pytest.raises(InputError):
            check_target(path)
    with pytest.raises(InputError):
        write_result(tmp_path / "missing" / "hits.csv", "x")


def test_numbered() -> None:
    assert [numbered(1, "row"), numbered(1_000, "row"), numbered(2, "entry", "entries")] == [
        "1 row",
        "1,000 rows",
        "2 entries",
    ]
