"""Cards: what one party gives the others, by courier or mail, so that they can pin its identity key.

A card is a piece of a registry file (PROTOCOL.md 2.4): `[matcher] identity_key`, or `[[party]]` with code, name and
identity_key. Registering puts pieces together. A key that is registered is never replaced here: a party with a new
key is removed by hand, after a talk.
"""

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from aquila.crypto.keys import VerifyKey
from aquila.errors import AquilaError, InputError, PolicyError
from aquila.protocol.registry import MATCHER, former_keys, former_lines

_CODE_LETTERS = 2


@dataclass(frozen=True, slots=True)
class Card:
    """A party's code (or `matcher`), name, public identity key, whether it has left, and keys that it replaced."""

    code: str
    name: str
    key: VerifyKey
    left: bool = False
    former: tuple[VerifyKey, ...] = ()

    def text(self) -> str:
        former = "".join(f"{line}\n" for line in former_lines(self.former))
        if self.code == MATCHER:
            return f'[matcher]\nidentity_key = "{self.key.hex}"\n{former}'
        name = json.dumps(self.name, ensure_ascii=False)
        left = "left = true\n" if self.left else ""
        return f'[[party]]\ncode = "{self.code}"\nname = {name}\nidentity_key = "{self.key.hex}"\n{former}{left}'


@dataclass(slots=True)
class Cards:
    """The cards of a registry file, by code; a file in the making may lack the matcher's."""

    by_code: dict[str, Card] = field(default_factory=dict)

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read a registry file, or a piece of one; raises InputError if it is none, or names a party or a key twice."""
        cards = cls()
        for card in _cards(content):
            if card.code in cards.by_code:
                raise InputError("file_names_party_twice", party=card.code)
            cards.add(card)
        return cards

    def add(self, card: Card) -> bool:
        """Add a card; return False where the same one is there already.

        Raises:
            PolicyError: The code has another key here, or the key another code.
        """
        known = self.by_code.get(card.code)
        if known is not None and known.key != card.key:
            raise PolicyError("registered_key_differs", party=card.code, short_fingerprint=known.key.short_fingerprint)
        holder = next((other.code for other in self.by_code.values() if other.key == card.key), card.code)
        if holder != card.code:
            raise PolicyError("key_registered_to_another_party", party=card.code, holder=holder)
        # Who has left does not come back, and keys that were replaced are not forgotten.
        before = known or card
        kept = replace(card, left=card.left or before.left, former=card.former or before.former)
        self.by_code[card.code] = kept
        return known != kept

    def text(self) -> str:
        """Return the registry file: the matcher first, then the parties in the order of their codes."""
        order = sorted(self.by_code.values(), key=lambda card: (card.code != MATCHER, card.code))
        return "\n".join(card.text() for card in order)


def _cards(content: bytes) -> Iterable[Card]:
    """Read the entries of a registry file; raises InputError if it is none."""
    try:
        document = tomllib.loads(content.decode())
        cards = [
            Card(
                entry["code"],
                entry["name"],
                VerifyKey.from_hex(entry["identity_key"]),
                entry.get("left") is True,
                former_keys(entry),
            )
            for entry in document.get("party", [])
        ]
        if MATCHER in document:
            matcher = document[MATCHER]
            key = VerifyKey.from_hex(matcher["identity_key"])
            cards.insert(0, Card(MATCHER, MATCHER, key, former=former_keys(matcher)))
        usable = all(map(_is_usable, cards))
    except (UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError, RecursionError, AquilaError):
        usable = False
    if not usable:
        raise InputError("card_or_registry_file_malformed")
    return cards


def _is_usable(card: Card) -> bool:
    code = card.code
    return code == MATCHER or (
        len(code) == _CODE_LETTERS and code.isascii() and code.isalpha() and code.isupper() and card.name.isprintable()
    )
