"""One name, written in different ways."""

from random import Random

import pytest

from clients.people import spelling


@pytest.mark.parametrize(
    ("name", "culture", "cyrillic"),
    [
        ("ljiljana", "SRB", "љиљана"),
        ("đorđević", "SRB", "ђорђевић"),
        ("džamal", "ARA", "џамал"),
        ("rexhepi", "ALB", "реџепи"),
        ("al-masri", "ARA", "ал-масри"),
    ],
)
def test_cyrillic(name: str, culture: str, cyrillic: str) -> None:
    """Latin letters become Serbian Cyrillic, digraphs included."""
    assert spelling.cyrillic(name, "RS", culture) == cyrillic


def test_ears() -> None:
    assert spelling.albanian("đorđević") == "gjorgjeviq"
    assert spelling.slovene("đorđević") == "djordjevič"
    assert spelling.plain("živković") == "zivkovic"
    assert spelling.serbian("xhaferi", "ALB") == "džaferi"
    assert spelling.serbian("shkëlqim", "ALB") == "škelćim"


def test_spellings_of_one_name() -> None:
    assert spelling.latin("ѓорѓи", "MKD") == "đorđi"
    assert spelling.latin("щерю", "BGR") == "shteryu"
    assert spelling.plain("đorđević") == "djordjevic"
    assert spelling.cyrillic("đorđević", "RS", "SRB") == "ђорђевић"
    assert spelling.cyrillic("đorđević", "BG", "SRB") == "джорджевич"
    assert spelling.cyrillic("xhafer", "MK", "ALB") == "џафер"
    assert spelling.cyrillic("qasim", "RS", "ARA") == "касим"
    assert spelling.capitalized("al-masri ana") == "Al-Masri Ana"


def test_slips_and_hearing_change_little() -> None:
    random = Random(1)
    assert spelling.slip("ana", random) == "ana"
    assert all(abs(len(spelling.slip("jovanović", random)) - len("jovanović")) <= 1 for _ in range(50))
    assert len({spelling.heard("al-masri", random) for _ in range(50)}) > 3
