"""All files of vectors."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.vectors.making import chunk, consent, framing, locks, submission
from tests.vectors.making.theme import Theme

FOLDER = Path(__file__).parents[3] / "schemas" / "vectors"

THEMES: tuple[Callable[[], Theme], ...] = (framing.make, consent.make, locks.make, submission.make, chunk.make)


@cache
def made() -> dict[str, str]:
    """Return all files by name."""
    themes = [make() for make in THEMES]
    return {f"{theme.name}.json": theme.text() for theme in themes}


def differing() -> list[str]:
    """Return the names of files that are not what is made now, are missing, or are left over."""
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    return sorted(name for name in there.keys() | made().keys() if there.get(name) != made().get(name))
