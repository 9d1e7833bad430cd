"""The registry: whose long-term identity keys count (PROTOCOL.md 2.4).

Each node and the matcher hold the same registry file. Its content is compared outside Aquila: party by party, or once
by the words of a signed statement (`aquila.protocol.registration`), which an administrator accepts. No key is ever
taken from any other message.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquila.crypto.keys import VerifyKey
from aquila.errors import AquilaError, InputError, PolicyError, SignatureError

if TYPE_CHECKING:
    from collections.abc import Iterator

MATCHER = "matcher"
_CODE = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class RegisteredParty:
    """A contracting party.

    Attributes:
        code: Two capital letters.
        name: As the others know it.
        key: Its pinned identity key.
        left: Whether it has left: its old statements still verify, and it takes part in nothing new.
    """

    code: str
    name: str
    key: VerifyKey
    left: bool = False


@dataclass(slots=True)
class Registry:
    """The matcher's pinned key and the parties, by code.

    A service has one registry, which everything in it shares; `adopt` brings a newer one into force everywhere at once.
    """

    matcher: VerifyKey
    parties: Mapping[str, RegisteredParty]

    def key_of(self, signer: str) -> VerifyKey:
        """Return the pinned key of a party's code or of `matcher`.

        Raises:
            SignatureError: The registry does not know the signer.
        """
        if signer == MATCHER:
            return self.matcher
        if signer not in self.parties:
            raise SignatureError("party_unknown_to_registry", party=signer)
        return self.parties[signer].key

    def by_fingerprint(self) -> dict[str, tuple[str, VerifyKey]]:
        """Return every pinned key with its holder's code, by fingerprint."""
        holders = {party.key.fingerprint: (party.code, party.key) for party in self.parties.values()}
        return holders | {self.matcher.fingerprint: (MATCHER, self.matcher)}

    def present(self) -> tuple[str, ...]:
        """Return the codes of the parties that have not left, in their order."""
        return tuple(sorted(code for code, party in self.parties.items() if not party.left))

    def check_successor(self, newer: Registry) -> None:
        """Refuse a registry that does not continue this one.

        Raises:
            PolicyError: It names another key for the matcher or a party, lacks a party, or has one that had left.
        """
        if newer.matcher != self.matcher:
            raise PolicyError("registry_replaces_key", party=MATCHER)
        for code, party in self.parties.items():
            found = newer.parties.get(code)
            if found is None:
                raise PolicyError("registry_lacks_party", party=code)
            if found.key != party.key:
                raise PolicyError("registry_replaces_key", party=code)
            if party.left and not found.left:
                raise PolicyError("registry_party_returns", party=code)

    def adopt(self, newer: Registry) -> None:
        """Replace the parties by those of a newer registry.

        Raises:
            PolicyError: As `check_successor`; nothing is changed.
        """
        self.check_successor(newer)
        self.parties = newer.parties


class Callers(Mapping[str, tuple[str, VerifyKey]]):
    """The keys that may sign calls, by fingerprint: those of the parties that have not left, and the matcher's.

    It follows the registry, whatever is adopted.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._of: Mapping[str, RegisteredParty] | None = None
        self._keys: dict[str, tuple[str, VerifyKey]] = {}

    def __getitem__(self, fingerprint: str) -> tuple[str, VerifyKey]:
        return self._current()[fingerprint]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())

    def _current(self) -> dict[str, tuple[str, VerifyKey]]:
        parties = self._registry.parties
        if parties is not self._of:
            left = {party.key.fingerprint for party in parties.values() if party.left}
            known = self._registry.by_fingerprint()
            # If another thread comes between the two lines, it makes the same again.
            self._keys = {print_: holder for print_, holder in known.items() if print_ not in left}
            self._of = parties
        return self._keys


def read_registry(content: bytes) -> Registry:
    """Read a registry file (TOML: `[matcher] identity_key` and `[[party]] code, name, identity_key`, maybe `left`).

    Raises:
        InputError: The file cannot be read, a field is missing, or a code or key occurs twice.
    """
    try:
        document = tomllib.loads(content.decode())
        matcher = VerifyKey.from_hex(document["matcher"]["identity_key"])
        entries = [
            (entry["code"], entry["name"], VerifyKey.from_hex(entry["identity_key"]), entry.get("left", False) is True)
            for entry in document.get("party", [])
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, AquilaError) as error:
        raise InputError("registry_file_unreadable", kind=type(error).__name__) from None
    if not all(_is_code(code) and _is_name(name) for code, name, _, _ in entries):
        raise InputError("registry_file_party_malformed")
    parties = {code: RegisteredParty(code, name, key, left) for code, name, key, left in entries}
    keys = {key.fingerprint for _, _, key, _ in entries} | {matcher.fingerprint}
    if len(parties) != len(entries) or len(keys) != len(entries) + 1:
        raise InputError("registry_file_names_twice")
    return Registry(matcher, parties)


def _is_code(code: object) -> bool:
    return isinstance(code, str) and _CODE.fullmatch(code) is not None


def _is_name(name: object) -> bool:
    """Return whether a name is one line of printable text, which can be written into a registry file again."""
    return isinstance(name, str) and bool(name) and name.isprintable()


def write_registry(registry: Registry) -> bytes:
    """Return the registry file of a registry, parties in the order of their codes."""
    lines = ["[matcher]", f'identity_key = "{registry.matcher.hex}"']
    for code in sorted(registry.parties):
        party = registry.parties[code]
        name = party.name.replace("\\", "\\\\").replace('"', '\\"')
        lines += ["", "[[party]]", f'code = "{code}"', f'name = "{name}"', f'identity_key = "{party.key.hex}"']
        lines += ["left = true"] if party.left else []
    return ("\n".join(lines) + "\n").encode()
