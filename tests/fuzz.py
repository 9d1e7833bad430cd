"""Every parser of outside bytes, and what it must do with any: take them, or raise an error of the tree.

Hypothesis runs the targets in the suite (`tests/property/test_fuzz.py`); `make fuzz` runs them under atheris, guided by
coverage, for five minutes: `python -m tests.fuzz 300`. A raw exception of Python on hostile bytes is a bug.
"""

import io
import sys
from collections.abc import Callable, Mapping
from typing import cast

from starlette.requests import Request

from aquila.audit.checkpoint import parse_checkpoint, parse_note, parse_update
from aquila.audit.entries import read_entry
from aquila.audit.merkle import read_bundle, read_statements, read_tile
from aquila.crypto.envelope import open_envelope
from aquila.crypto.keys import VerifyKey
from aquila.crypto.sealing import NoteKeys
from aquila.errors import AquilaError
from aquila.protocol.auditing import read_log
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS, Manifest
from aquila.protocol.problems import error_from_problem
from aquila.protocol.registry import RegisteredParty, Registry, read_registry
from aquila.protocol.rounds.exchange import entries_of, verify_batch
from aquila.protocol.rounds.hit_columns import NoteOpening, NoteOpenings
from aquila.records.person import Record
from aquila.records.reading.layouts import Layout
from aquila.records.reading.lists import read_records
from aquila.records.rules import parse_rules
from clients.sdk.bundles import index_archive
from clients.sdk.cards import Cards
from services.kit.http.signatures import CallVerifier, Nonces, SignedRequest

_KEY = VerifyKey.from_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
_REGISTRY = Registry(_KEY, {"SI": RegisteredParty("SI", "SI", _KEY)})
_VERIFIER = CallVerifier({_KEY.fingerprint: ("SI", _KEY)}, cast("Nonces", None), {"127.0.0.1:8700"}, lambda: 1)
_MESSAGES = (Manifest, *PARTY_STATEMENTS, *ANNOUNCEMENTS)


def _text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    """Let a parser of text see any text: bytes that are none become replacement characters."""
    return lambda content: parse(content.decode("utf-8", "replace"))


def _note(content: bytes) -> object:
    """Open a note whose seal is right: what a counterpart with the right keys may have written."""
    keys = NoteKeys(bytes(32), bytes(32))
    opening = NoteOpening("0" * 32, keys, b"\x01", b"\x00", bytes(5), "0" * 64, None)
    return verify_batch(NoteOpenings.of([opening]), (), [(opening.hit_id, keys.seal_note(content, bytes(12)))])


def _call(content: bytes) -> object:
    """Verify a signed call whose three headers are these bytes, a line each."""
    names = (b"signature-input", b"signature", b"content-digest")
    lines = [(b"host", b"127.0.0.1:8700"), *zip(names, content.split(b"\n"), strict=False)]
    message = SignedRequest("GET", "http://127.0.0.1:8700/v1/rounds", lines)
    return _VERIFIER.verify_head(message)


def _log(content: bytes) -> object:
    """Read a log all of whose files are these bytes."""
    return read_log(lambda name: None if name == "registry.json" and len(content) % 2 else content, _REGISTRY)


TARGETS: Mapping[str, Callable[[bytes], object]] = {
    "note": parse_note,
    "checkpoint": _text(parse_checkpoint),
    "update": parse_update,
    "entry": read_entry,
    "bundle": lambda content: read_bundle(content, len(content) % 5),
    "statements": lambda content: read_statements(content, len(content) % 5),
    "tile": lambda content: read_tile(content, len(content) // 32),
    "log": _log,
    "envelope": lambda content: open_envelope(content, [Manifest.payload_type], {_KEY.fingerprint: _KEY}),
    "registry": read_registry,
    "problem": error_from_problem,
    "record": Record.from_json,
    "csv": lambda content: list(read_records(io.BytesIO(content))),
    "ftm": lambda content: list(read_records(io.BytesIO(content), Layout("ftm", "utf-8"))),
    "rules": _text(parse_rules),
    "archive": lambda content: index_archive(io.BytesIO(content)),
    "cards": Cards.read,
    "notes": lambda content: list(entries_of(content, 1 + len(content) % 3)),
    "sealed": _note,
    "call": _call,
    "cookies": lambda content: Request({"type": "http", "headers": [(b"cookie", content)]}).cookies,
} | {kind.__name__: kind.from_payload for kind in _MESSAGES}
"""By name, what is given bytes from outside."""


def judge(name: str, content: bytes) -> None:
    """Give bytes to a target."""
    try:
        TARGETS[name](content)
    except AquilaError:
        return


def _one(content: bytes) -> None:
    """Choose a target by the first byte, and give it the rest."""
    if content:
        names = sorted(TARGETS)
        judge(names[content[0] % len(names)], content[1:])


def main(seconds: str = "300") -> None:
    """Run all targets under atheris for so many seconds."""
    import atheris

    atheris.instrument_all()
    atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", "-max_len=8192", "-rss_limit_mb=4096"], _one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
