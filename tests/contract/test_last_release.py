"""The release that rounds are played with is the newest of the changelog."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.last_release import COMMIT, RELEASE

CHANGELOG = (Path(__file__).parents[2] / "CHANGELOG.md").read_text("utf-8")


def test_it_is_the_newest_release() -> None:
    """In the commit of a release it is still the one before; the first change after that sets it."""
    unreleased, *released = re.split(r"^## \[", CHANGELOG, flags=re.MULTILINE)[1:]
    numbers = [section.partition("]")[0] for section in released]
    assert RELEASE in (numbers[:1] if "\n- " in unreleased else numbers[:2])
    assert re.fullmatch("[0-9a-f]{40}", COMMIT)
