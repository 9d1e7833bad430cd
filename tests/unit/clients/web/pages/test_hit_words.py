"""How the page of a hit says in words what weighs, what differs, and how rare an agreement is."""

from types import SimpleNamespace
from typing import Any

import pytest

from aquila.interface.hits import WeightView
from aquila.matching.weights import WeightKind
from clients.web.i18n.languages import languages
from clients.web.pages.hits import hit

_LANGUAGE = languages()["en"]
_VISIT: Any = SimpleNamespace(say=_LANGUAGE.say, language=_LANGUAGE)


def _hit(**fields: Any) -> Any:
    return SimpleNamespace(**fields)


@pytest.mark.parametrize(
    ("kind", "centibits", "words"),
    [
        (WeightKind.PRIOR, -1500, "about 1 of 33,000 pairs of records is one person"),
        (WeightKind.AGREES, 800, "260 times as often in the records of one person as in those of two"),
        (WeightKind.AGREES, -500, "32 times as often in the records of two persons as in those of one"),
        (WeightKind.MISSING, -200, "4 times as often in the records of two persons as in those of one"),
        (WeightKind.LIFT, 300, "8 times the odds"),
    ],
)
def test_a_weight_is_a_factor(kind: WeightKind, centibits: int, words: str) -> None:
    assert hit._factor(_VISIT, WeightView(kind=kind, sentence="x", centibits=centibits)) == words


@pytest.mark.parametrize(
    ("centibits", "words"),
    [
        (None, ""),
        (500, "In two lists of these sizes, at most about 32 pairs of two persons agree in just this way."),
        (-823, "Two persons agree in just this way at most about once in 300 rounds of such lists."),
        (-3000, "Two persons agree in just this way less than once in a million rounds of such lists."),
    ],
)
def test_chance_is_a_number_of_rounds(centibits: int | None, words: str) -> None:
    """Pairs where there are some, else rounds, and no number that says more than is known."""
    assert hit._strangers(_VISIT, _hit(strangers_centibits=centibits)) == words


def test_what_differs_is_a_list() -> None:
    weights = (
        WeightView(kind=WeightKind.PRIOR, sentence="", centibits=-1500),
        WeightView(kind=WeightKind.AGREES, sentence="a", centibits=900, differs="the year of birth differs"),
        WeightView(kind=WeightKind.AGREES, sentence="b", centibits=100),
        WeightView(kind=WeightKind.MISSING, sentence="place of birth or nationality", centibits=-100),
    )
    assert list(hit._differing(_VISIT, _hit(weights=weights))) == [
        "the year of birth differs",
        "nothing agrees: place of birth or nationality",
    ]
