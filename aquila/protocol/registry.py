"""The registry: whose long-term identity keys count (PROTOCOL.md 2.4).

Each node and the matcher hold the same registry file. Its content is compared outside Aquila: party by party, or once
by the words of a signed statement (`aquila.protocol.registration`), which an administrator accepts. No key is ever
taken from any other message. A key that was replaced stays with its holder (PROTOCOL.md 11.9): what it signed before is
still read, and nothing new counts under it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aquila.audit.checkpoint import Note, cosigned_by, log_name, witness_name
from aquila.crypto.keys import VerifyKey
from aquila.errors import AquilaError, InputError, PolicyError, SignatureError

MATCHER = "matcher"
_CODE = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class RegisteredParty:
    """A contracting party."""

    code: str
    """Two capital letters."""
    name: str
    """As the others know it."""
    key: VerifyKey
    left: bool = False
    """Whether it has left: its old statements still verify, and it takes part in nothing new."""


@dataclass(slots=True)
class Registry:
    """The matcher's pinned key and the parties, by code.

    A service has one registry, which everything in it shares; `adopt` brings a newer one into force everywhere at once.
    """

    matcher: VerifyKey
    parties: Mapping[str, RegisteredParty]
    former: Mapping[str, tuple[VerifyKey, ...]] = field(default_factory=dict)
    """By holder the keys that were replaced, the oldest first; holders that never replaced one are not in it."""

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

    def keys_of(self, holder: str) -> tuple[VerifyKey, ...]:
        """Return all keys that a holder had, the oldest first and the pinned one last; raises as `key_of` does."""
        return (*self.former.get(holder, ()), self.key_of(holder))

    def log_keys(self, holder: str, own: VerifyKey) -> tuple[VerifyKey, ...]:
        """Return all keys that sign checkpoints of a holder's log, the oldest first; raises as `key_of` does.

        Args:
            holder: Whose log it is.
            own: Its key now; one that waits for the registry that names it is the last.
        """
        known = self.keys_of(holder)
        return known if own in known else (*known, own)

    def by_fingerprint(self) -> dict[str, tuple[str, VerifyKey]]:
        """Return every key with its holder's code, by fingerprint; replaced ones too, for what was signed with them."""
        return {key.fingerprint: (holder, key) for holder in (MATCHER, *self.parties) for key in self.keys_of(holder)}

    def origin_of(self, holder: str) -> str:
        """Return the name of a holder's log, which its first key gives; raises as `key_of` does."""
        return log_name(holder, self.keys_of(holder)[0])

    def witness_of(self, holder: str) -> str:
        """Return the name under which a holder cosigns, which its first key gives; raises as `key_of` does."""
        return witness_name(holder, self.keys_of(holder)[0])

    def witnesses(self, owner: str) -> tuple[str, ...]:
        """Return the holders that may witness the log of one of them: all others, for nobody witnesses an own log."""
        return tuple(holder for holder in (MATCHER, *sorted(self.parties)) if holder != owner)

    def cosigners(self, note: Note, owner: str) -> Iterator[tuple[str, VerifyKey, int]]:
        """Yield who witnessed a checkpoint of a holder's log, each with its key and when, in seconds since 1970.

        Raises:
            AuditError: A witness's cosignature is wrong.
        """
        for holder in self.witnesses(owner):
            found = cosigned_by(note, self.witness_of(holder), *self.keys_of(holder))
            if found is not None:
                yield holder, *found

    def present(self) -> tuple[str, ...]:
        """Return the codes of the parties that have not left, in their order."""
        return tuple(sorted(code for code, party in self.parties.items() if not party.left))

    def replaced_in(self, newer: "Registry") -> set[str]:
        """Return whose key a registry that continues this one replaces: the matcher or parties."""
        return {one for one in (MATCHER, *self.parties) if self.key_of(one) != newer.key_of(one)}

    def check_successor(self, newer: "Registry") -> None:
        """Refuse a registry that does not continue this one.

        Raises:
            PolicyError: It names another key for the matcher or a party that does not follow from the one here, goes
                back to a key that was replaced, lacks a party, or has one that had left.
        """
        self._check_keys(newer, MATCHER)
        for code, party in self.parties.items():
            found = newer.parties.get(code)
            if found is None:
                raise PolicyError("registry_lacks_party", party=code)
            self._check_keys(newer, code)
            if party.left and not found.left:
                raise PolicyError("registry_party_returns", party=code)

    def _check_keys(self, newer: "Registry", holder: str) -> None:
        """Refuse keys of a holder that do not continue its keys here; raises as `check_successor` does."""
        before = self.keys_of(holder)
        if newer.key_of(holder) in before[:-1]:
            raise PolicyError("registry_returns_to_key", party=holder)
        keys = newer.keys_of(holder)
        # Who joined later does not know the keys before those here: signed renewals lead from them.
        start = keys.index(before[0]) if before[0] in keys else len(keys)
        if keys[start : start + len(before)] != before:
            raise PolicyError("registry_replaces_key", party=holder)

    def adopt(self, newer: "Registry") -> None:
        """Replace parties and keys by those of a newer registry.

        Raises:
            PolicyError: As `check_successor`; nothing is changed.
        """
        self.check_successor(newer)
        # The former keys first: what was signed with them is read between these lines, too.
        self.former = newer.former
        self.matcher = newer.matcher
        self.parties = newer.parties


class Callers(Mapping[str, tuple[str, VerifyKey]]):
    """The keys that may sign calls, by fingerprint: the pinned ones of parties that have not left, and the matcher's.

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
            present = {party.key.fingerprint: (party.code, party.key) for party in parties.values() if not party.left}
            matcher = self._registry.matcher
            # If another thread comes between the two lines, it makes the same again.
            self._keys = present | {matcher.fingerprint: (MATCHER, matcher)}
            self._of = parties
        return self._keys


def read_registry(content: bytes) -> Registry:
    """Read a registry file.

    It is TOML: `[matcher] identity_key` and `[[party]] code, name, identity_key`, maybe `left`, and with each key maybe
    `former_keys`, those that it replaced.

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
        former = {MATCHER: former_keys(document["matcher"])}
        former |= {str(entry["code"]): former_keys(entry) for entry in document.get("party", [])}
    except tomllib.TOMLDecodeError as error:  # it names line and column
        raise InputError("registry_file_unreadable", fault=error) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, AquilaError) as error:
        raise InputError("registry_file_unreadable", fault=type(error).__name__) from None
    if not all(_is_code(code) and _is_name(name) for code, name, _, _ in entries):
        raise InputError("registry_file_party_malformed")
    parties = {code: RegisteredParty(code, name, key, left) for code, name, key, left in entries}
    registry = Registry(matcher, parties, {holder: keys for holder, keys in former.items() if keys})
    if len(parties) != len(entries) or not has_distinct_keys(registry):
        raise InputError("registry_file_names_twice")
    return registry


def has_distinct_keys(registry: Registry) -> bool:
    """Return whether no key of a registry, replaced ones included, occurs twice."""
    keys = [key for holder in (MATCHER, *registry.parties) for key in registry.keys_of(holder)]
    return len(set(keys)) == len(keys)


def former_keys(entry: Mapping[str, list[str]]) -> tuple[VerifyKey, ...]:
    """Return the replaced keys of an entry of a registry file; raises as `VerifyKey.from_hex` does."""
    return tuple(VerifyKey.from_hex(text) for text in entry.get("former_keys", []))


def _is_code(code: object) -> bool:
    return isinstance(code, str) and _CODE.fullmatch(code) is not None


def _is_name(name: object) -> bool:
    """Return whether a name is one line of printable text, which can be written into a registry file again."""
    return isinstance(name, str) and bool(name) and name.isprintable()


def write_registry(registry: Registry) -> bytes:
    """Return the registry file of a registry, parties in the order of their codes."""
    lines = ["[matcher]", f'identity_key = "{registry.matcher.hex}"', *former_lines(registry.former.get(MATCHER, ()))]
    for code in sorted(registry.parties):
        party = registry.parties[code]
        name = party.name.replace("\\", "\\\\").replace('"', '\\"')
        lines += ["", "[[party]]", f'code = "{code}"', f'name = "{name}"', f'identity_key = "{party.key.hex}"']
        lines += former_lines(registry.former.get(code, ()))
        lines += ["left = true"] if party.left else []
    return ("\n".join(lines) + "\n").encode()


def former_lines(keys: Sequence[VerifyKey]) -> list[str]:
    """Return the line of a registry file with replaced keys, or nothing."""
    listed = ", ".join(f'"{key.hex}"' for key in keys)
    return [f"former_keys = [{listed}]"] if keys else []
