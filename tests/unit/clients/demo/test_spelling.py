"""One name, written in different ways."""

from __future__ import annotations

from random import Random

import pytest

from clients.demo import spelling


@pytest.mark.parametrize(
    ("name", "cyrillic"),
    [
        ("Ljiljana", "Љиљана"),
        ("Đorđević", "Ђорђевић"),
        ("Džamal", "Џамал"),
        ("Quincy", "Куинцј"),
        ("al-Masri", "ал-Масри"),
    ],
)
def test_cyrillic(name: str, cyrillic: str) -> None:
    """Serbian Latin becomes Serbian Cyrillic, digraphs included."""
    assert spelling.cyrillic(name) == cyrillic


def test_ears() -> None:
    """Each country writes what it hears with its own letters."""
    assert spelling.albanian("Đorđević") == "Gjorgjeviq"
    assert spelling.slovene("Đorđević") == "Djordjevič"
    assert spelling.plain("Živković") == "Zivkovic"
    assert spelling.from_albanian("Xhaferi") == "Džaferi"
    assert spelling.cyrillic(spelling.from_albanian("Rexhepi")) == "Реџепи"


def test_slip() -> None:
    """A slip changes a long name by one letter and leaves a short one."""
    random = Random(1)
    assert spelling.slip("Kos", random) == "Kos"
    for _ in range(50):
        slipped = spelling.slip("Novak", random)
        assert abs(len(slipped) - 5) <= 1
        assert set(slipped) <= set("Novak")
