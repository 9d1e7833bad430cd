"""Cards and the registry file that they make."""

import pytest

from aquila.crypto.keys import IdentityKey
from aquila.errors import InputError, PolicyError
from aquila.protocol.registry import MATCHER, read_registry
from clients.sdk.cards import Card, Cards


def _key(number: int) -> IdentityKey:
    return IdentityKey.generate(lambda count: bytes([number]) * count)


def test_registry_of_cards() -> None:
    cards = [
        Card("SI", 'Slovenia "Policija"', _key(1).public),
        Card(MATCHER, MATCHER, _key(2).public),
        Card("AL", "Shqipëria", _key(3).public),
    ]
    registry = Cards()
    for card in cards:
        for read in Cards.read(card.text().encode()).by_code.values():
            assert registry.add(read)
    found = read_registry(registry.text().encode())
    assert found.matcher == _key(2).public
    assert [(party.code, party.name) for party in found.parties.values()] == [
        ("AL", "Shqipëria"),
        ("SI", 'Slovenia "Policija"'),
    ]


def test_same_card_again() -> None:
    registry = Cards()
    assert registry.add(Card("SI", "Slovenia", _key(1).public))
    assert not registry.add(Card("SI", "Slovenia", _key(1).public))


def test_another_key() -> None:
    """A registered key is never replaced, and a key belongs to one party."""
    registry = Cards()
    registry.add(Card("SI", "Slovenia", _key(1).public))
    with pytest.raises(PolicyError, match="another key"):
        registry.add(Card("SI", "Slovenia", _key(2).public))
    with pytest.raises(PolicyError, match="registered as that of SI"):
        registry.add(Card("RS", "Serbia", _key(1).public))


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"[",
        b"a=" + b"[" * 5_000,
        b'[matcher]\nidentity_key = "ab"\n',
        b'[[party]]\ncode = "SI"\n',
        b'[party]\ncode = "SI"\n',
        Card("SI", "Slovenia", _key(1).public).text().replace("SI", "si").encode(),
        Card("SI", "Slovenia", _key(1).public).text().replace('"SI"', "7").encode(),
        (Card("SI", "a", _key(1).public).text() + Card("SI", "a", _key(1).public).text()).encode(),
    ],
)
def test_no_card(content: bytes) -> None:
    with pytest.raises(InputError):
        Cards.read(content)


def test_a_party_that_left_stays_so() -> None:
    left, again = Card("SI", "Slovenia", _key(1).public, left=True), Card("SI", "Slovenia", _key(1).public)
    registry = Cards.read(Card(MATCHER, MATCHER, _key(2).public).text().encode() + left.text().encode())
    assert not registry.add(again)
    assert read_registry(registry.text().encode()).parties["SI"].left
