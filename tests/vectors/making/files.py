"""All files of vectors."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

from tests.vectors.making import (
    calls,
    chunk,
    consent,
    follow_up,
    framing,
    grading,
    locks,
    log,
    log_bundle,
    normalizer,
    notes,
    registry,
    shadow,
    statements,
    submission,
    tokens,
    whole_round,
)
from tests.vectors.making.theme import Theme

FOLDER = Path(__file__).parents[3] / "schemas" / "vectors"

THEMES: tuple[Callable[[], Theme], ...] = (
    calls.make,
    chunk.make,
    consent.make,
    follow_up.make,
    framing.make,
    grading.make,
    locks.make,
    log.make,
    log_bundle.make,
    normalizer.make,
    notes.make,
    registry.make,
    shadow.make,
    statements.make,
    submission.make,
    tokens.make,
    whole_round.make,
)


@cache
def made() -> dict[str, str]:
    """Return all files by name."""
    themes = [make() for make in THEMES]
    return {f"{theme.name}.json": theme.text() for theme in themes}
