"""One Latin word folded to the region's common spelling."""

import pytest

from aquila.records.normalize.names import fold, table

FOLDING = table("folding")
REPLACED = [(name, spelling) for name in ("beginnings", "endings", "spellings") for spelling in FOLDING[name]]


def test_scanned_digits_are_letters_and_others_go() -> None:
    assert fold("ann4a") == "ana"
    assert fold("şşş") == "s"


@pytest.mark.parametrize(("name", "spelling"), REPLACED)
def test_every_spelling_of_the_table_folds_to_rest(name: str, spelling: str) -> None:
    """Each replaced spelling ends at a word that stays, where it may stand."""
    word = spelling + "ra" if name == "beginnings" else "ra" + spelling
    folded = fold(word)
    assert fold(folded) == folded
    assert folded.isascii()
    assert folded.isalpha()


@pytest.mark.parametrize("replacement", sorted({*FOLDING["spellings"].values()}))
def test_what_a_spelling_becomes_is_plain(replacement: str) -> None:
    assert replacement.isascii()
    assert replacement.isalpha()
    assert replacement.islower()


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("almasri", "masri"),
        ("elhariri", "hariri"),
        ("albert", "albert"),
        ("alfredo", "alfredo"),
        ("elmedina", "elmedina"),
        ("abdelkader", "abdukader"),
        ("abdulkader", "abdukader"),
        ("abdellah", "abdulah"),
        ("abdulla", "abdulah"),
        ("salah", "salah"),
        ("sirhan", "sirhan"),
        ("rhodes", "rodes"),
        ("abdali", "abdali"),
        ("nurettin", "nuredin"),
        ("petrovici", "petrovic"),
        ("petroviq", "petrovic"),
        ("ivanoff", "ivanov"),
        ("hoffmann", "hofman"),
        ("popescu", "popesku"),
        ("kovácsné", "kovac"),
        ("erdoan", "erdogan"),
        ("î", "i"),
        ("brînză", "branza"),
        ("petrovlć", "petrovic"),
    ],
)
def test_words_fold_by_their_place(written: str, folded: str) -> None:
    assert fold(written) == folded
