"""What a round's or import's short name means."""

from __future__ import annotations

import pytest

from aquila.errors import InputError
from clients.cli.connect import resolve_id

IDS = ["abcd" + "0" * 28, "abce" + "0" * 28]


def test_chosen() -> None:
    """An id, its beginning in any case, and `latest` mean one."""
    assert resolve_id("round", "latest", IDS) == IDS[0]
    assert resolve_id("round", "ABCE", IDS) == IDS[1]
    assert resolve_id("round", IDS[1], IDS) == IDS[1]


@pytest.mark.parametrize(
    ("text", "ids", "says"),
    [
        ("abc", IDS, "no round"),
        ("ffff", IDS, "no round"),
        ("latest", [], "no round yet"),
        ("aaaa", ["aaaa1", "aaaa2"], "several"),
    ],
)
def test_not_chosen(text: str, ids: list[str], says: str) -> None:
    """A text that means none or several is refused."""
    with pytest.raises(InputError, match=says):
        resolve_id("round", text, ids)
