"""The registry: whose long-term identity keys count (PROTOCOL.md 2.4).

Each node and the matcher hold the same registry file, exchanged and compared outside Aquila (by courier, by
telephone). No key is ever taken from a message.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquila.crypto.keys import VerifyKey
from aquila.errors import AquilaError, InputError, SignatureError

if TYPE_CHECKING:
    from collections.abc import Mapping

MATCHER = "matcher"
_CODE = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class RegisteredParty:
    """A contracting party: its code (two capital letters), its name and its pinned identity key."""

    code: str
    name: str
    key: VerifyKey


@dataclass(frozen=True, slots=True)
class Registry:
    """The matcher's pinned key and the parties, by code."""

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


def read_registry(content: bytes) -> Registry:
    """Read a registry file (TOML: `[matcher] identity_key` and `[[party]] code, name, identity_key`).

    Raises:
        InputError: The file cannot be read, a field is missing, or a code or key occurs twice.
    """
    try:
        document = tomllib.loads(content.decode())
        matcher = VerifyKey.from_hex(document["matcher"]["identity_key"])
        entries = [
            (entry["code"], entry["name"], VerifyKey.from_hex(entry["identity_key"])) for entry in document["party"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, AquilaError) as error:
        raise InputError("registry_file_unreadable", kind=type(error).__name__) from None
    if not all(_is_code(code) and _is_name(name) for code, name, _ in entries):
        raise InputError("registry_file_party_malformed")
    parties = {code: RegisteredParty(code, name, key) for code, name, key in entries}
    keys = {key.fingerprint for _, _, key in entries} | {matcher.fingerprint}
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
    return ("\n".join(lines) + "\n").encode()
