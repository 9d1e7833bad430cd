"""The manifest: what one manifest alone can contradict."""

from typing import Any

import pytest

from aquila.errors import MalformedError
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import Manifest
from aquila.records.rules import InputClass
from tests.support.samples import SAMPLES, read

SAMPLE = SAMPLES[Manifest]
AL, RS, SI = SAMPLE["participants"]
CAPS = SAMPLE["caps"]
WINDOW, PADDING = SAMPLE["window"], SAMPLE["padding"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"protocol": "aquila/3"}, id="another protocol"),
        pytest.param({"mode": "everything"}, id="unknown mode"),
        pytest.param({"participants": [RS, AL, SI]}, id="participants not ascending"),
        pytest.param({"participants": [AL, AL, RS, SI]}, id="participant twice"),
        pytest.param({"participants": [AL], "caps": CAPS[:1], "pairs": []}, id="one participant"),
        pytest.param({"caps": CAPS[:2]}, id="cap missing"),
        pytest.param({"caps": [*CAPS, CAPS[2] | {"party": "XK"}]}, id="cap of a stranger"),
        pytest.param({"caps": [CAPS[1], CAPS[0], CAPS[2]]}, id="caps not ascending"),
        pytest.param({"caps": [*CAPS, CAPS[2]]}, id="cap twice"),
        pytest.param(
            {"caps": [*CAPS[:2], CAPS[2] | {"elements": CAPS[2]["elements"] | {"full": -1}}]}, id="negative cap"
        ),
        pytest.param({"pairs": []}, id="no pair"),
        pytest.param({"pairs": [["RS", "AL"]]}, id="pair not ascending"),
        pytest.param({"pairs": [["AL", "AL"]]}, id="pair with oneself"),
        pytest.param({"pairs": [["AL", "XK"]]}, id="pair with a stranger"),
        pytest.param({"pairs": [["AL", "SI"], ["AL", "RS"]]}, id="pairs not ascending"),
        pytest.param({"pairs": [["AL", "RS"], ["AL", "RS"]]}, id="pair twice"),
        pytest.param({"pairs": [["AL", "RS", "SI"]]}, id="pair of three"),
        pytest.param({"window": WINDOW | {"submit_by": 0}}, id="lists before consents"),
        pytest.param({"window": WINDOW | {"evaluate_by": 1}}, id="evaluations before lists"),
        pytest.param({"window": WINDOW | {"closes_at": 2}}, id="closed before evaluations"),
        pytest.param({"chunk_elements": 0}, id="empty chunks"),
        pytest.param({"chunk_elements": 65_536}, id="chunks too large"),
        pytest.param({"padding": PADDING | {"inputs_per_record": [16, 8]}}, id="sizes not ascending"),
        pytest.param({"padding": PADDING | {"inputs_per_record": [8, 8]}}, id="size twice"),
        pytest.param({"padding": PADDING | {"inputs_per_record": [0]}}, id="size zero"),
        pytest.param({"padding": PADDING | {"inputs_per_record": [256]}}, id="size too large"),
        pytest.param({"padding": PADDING | {"records_multiple": 0}}, id="multiple zero"),
        pytest.param({"minimum_certainty": "none"}, id="unknown level"),
        pytest.param({"frequency_limit": 0}, id="no frequency"),
        pytest.param({"retention_days": 0}, id="no retention"),
    ],
)
def test_a_manifest_that_contradicts_itself(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        read(Manifest, **changes)


def test_a_number_beyond_exact_integers() -> None:
    """A deadline that JSON readers would round is refused."""
    payload = canonical(SAMPLE).replace(b'"closes_at":4', b'"closes_at":%d' % 2**53)
    with pytest.raises(MalformedError, match="closes_at"):
        Manifest.from_payload(payload)


def test_no_more_parties_than_allowed() -> None:
    codes = sorted(f"{a}{b}" for a in "ABCDEFGHIJ" for b in "ABCDEFG")[:65]
    people = [{"party": code, "identity_fingerprint": "a" * 64} for code in codes]
    caps = [CAPS[0] | {"party": code} for code in codes]
    pairs = [codes[:2]]
    assert read(Manifest, participants=people[:64], caps=caps[:64], pairs=pairs)
    with pytest.raises(MalformedError, match="participants"):
        read(Manifest, participants=people, caps=caps, pairs=pairs)


def test_what_a_manifest_tells() -> None:
    """Fingerprints, caps and allowed pairs are found by party, in either order."""
    manifest = read(Manifest)
    assert isinstance(manifest, Manifest)
    assert manifest.fingerprint_of("RS") == "b" * 64
    assert manifest.fingerprint_of("XK") is None
    assert [manifest.caps_of("SI").of(kind) for kind in InputClass] == [3, 2, 1]
    assert [manifest.may_match(*pair) for pair in (("AL", "SI"), ("SI", "AL"), ("RS", "SI"))] == [True, True, False]
