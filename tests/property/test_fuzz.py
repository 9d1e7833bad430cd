"""Every parser of outside bytes ends in the tree of errors, whatever it is given."""

import gzip
import io
import tarfile
from collections.abc import Mapping

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aquila.audit.checkpoint import Checkpoint, Update
from aquila.audit.entries import Entry, EntryKind
from aquila.audit.merkle import write_bundle, write_statements
from aquila.crypto.envelope import sign_envelope
from aquila.crypto.keys import IdentityKey
from aquila.crypto.sealing import MARK_BYTES, NONCE_BYTES, TAG_BYTES
from aquila.protocol.encoding import canonical
from aquila.protocol.rounds.exchange import NOTE_BYTES
from services.kit.http.signatures import CallSigner
from tests.fuzz import TARGETS, judge
from tests.support.samples import SAMPLES

_KEY = IdentityKey(bytes(range(32)))
_NOTE = Checkpoint("log", 3, bytes(32)).sign(_KEY)


def _archive() -> bytes:
    made, member = io.BytesIO(), tarfile.TarInfo("checkpoint")
    member.size = 4
    with tarfile.open(fileobj=made, mode="w") as archive:
        archive.addfile(member, io.BytesIO(b"some"))
    return made.getvalue()


def _call() -> bytes:
    request = httpx.Request("GET", "http://127.0.0.1:8700/v1/rounds", content=b"x")
    CallSigner(_KEY, "SI", lambda: 1).sign(request)
    return "\n".join(request.headers[name] for name in ("signature-input", "signature", "content-digest")).encode()


SEEDS: Mapping[str, bytes] = {
    "note": _NOTE.to_bytes(),
    "checkpoint": _NOTE.text.encode(),
    "update": Update(2, (bytes(32), bytes(32)), _NOTE).to_bytes(),
    "entry": Entry.of(EntryKind.IMPORT, 1, "SI", counts={"records": 1}).content(),
    "bundle": write_bundle([b"one", b"two"]),
    "statements": write_statements([b"one", b""]),
    "tile": bytes(64),
    "log": _NOTE.to_bytes(),
    "envelope": sign_envelope("application/vnd.aquila.manifest+json", b"{}", _KEY),
    "registry": b'[matcher]\nidentity_key = "00"\n[[party]]\ncode = "SI"\nname = "x"\nidentity_key = "01"\n',
    "problem": b'{"type":"urn:aquila:problem:cap","detail":"no","fields":{"got":1}}',
    "record": b'{"record_id":"1","family_names":["x"]}',
    "csv": b"record_id,given_names,family_names\n1,Ana,Novak\n",
    "ftm": b'{"id":"1","schema":"Person","properties":{"name":["Ana Novak"]}}\n',
    "rules": b'name = "x"\nversion = 1\n[families]\nnames = "n"\n',
    "archive": gzip.compress(_archive(), mtime=0),
    "cards": b'[[party]]\ncode = "SI"\nname = "x"\nidentity_key = "' + _KEY.public.hex.encode() + b'"\n',
    "notes": bytes(2 * (16 + NOTE_BYTES + NONCE_BYTES + TAG_BYTES + 2 * MARK_BYTES)),
    "sealed": bytes(2) + bytes(NOTE_BYTES),
    "call": _call(),
    "cookies": b"aquila-form-8701=abc; x@y=1",
} | {kind.__name__: canonical(content) for kind, content in SAMPLES.items()}


@pytest.mark.parametrize("name", sorted(TARGETS))
@given(st.binary(max_size=300))
def test_any_bytes(name: str, content: bytes) -> None:
    """Noise is taken, or refused with an error of the tree."""
    judge(name, content)


@pytest.mark.parametrize("name", sorted(TARGETS))
@given(st.data())
def test_right_bytes_with_faults(name: str, data: st.DataObject) -> None:
    """What is nearly right reaches the depths of a parser: bytes changed, cut out, doubled."""
    seed = SEEDS[name]
    start = data.draw(st.integers(0, len(seed)))
    end = data.draw(st.integers(start, len(seed)))
    middle = data.draw(
        st.one_of(st.binary(max_size=8), st.just(seed[start:end] * 2), st.text(max_size=4).map(_encoded))
    )
    judge(name, seed[:start] + middle + seed[end:])


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def test_every_target_has_a_seed() -> None:
    assert set(SEEDS) == set(TARGETS)
