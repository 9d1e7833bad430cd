"""Properties of the protocol: messages come back, nothing escapes the tree of errors, order is no matter."""

import base64
import contextlib
import json
from random import Random
from typing import Any

import pytest
import rfc8785
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aquila.crypto.backend import load_group
from aquila.crypto.envelope import sign_envelope
from aquila.crypto.group import Group
from aquila.errors import AquilaError
from aquila.matching.join import TOKEN_ROW_BYTES, parse_rows
from aquila.protocol.encoding import canonical, framed
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS, Manifest, Message, Refusal, Submission
from aquila.protocol.party import RoundSecrets
from aquila.protocol.problems import error_from_problem
from aquila.protocol.registry import RegisteredParty, Registry, read_registry, write_registry
from aquila.protocol.submissions.submission import check_order
from aquila.records.rules import InputClass
from tests.support.samples import DIGEST, ROUND, SAMPLES
from tests.support.staged_round import EXPECTED, LISTS, StagedRound

KINDS = (*PARTY_STATEMENTS, *ANNOUNCEMENTS)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=50)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
CODES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=2)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=20) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def group() -> Group:
    return load_group(1)


@pytest.fixture(scope="module")
def played(group: Group, tmp_path_factory: pytest.TempPathFactory) -> StagedRound:
    stage = StagedRound(group, tmp_path_factory.mktemp("played"))
    stage.reported()
    stage.exchange_notes()
    stage.close()
    return stage


@st.composite
def submissions(draw: st.DrawFn) -> Submission:
    chunks = draw(
        st.lists(
            st.fixed_dictionaries(
                {"input_class": st.sampled_from([*InputClass]), "elements": st.integers(1, 65_535), "digest": DIGESTS}
            ),
            min_size=1,
            max_size=5,
        )
    )
    chunks.sort(key=lambda chunk: list(InputClass).index(chunk["input_class"]))
    totals = {kind: sum(chunk["elements"] for chunk in chunks if chunk["input_class"] == kind) for kind in InputClass}
    justification = draw(st.fixed_dictionaries(dict.fromkeys(SAMPLES[Submission]["justification"], TEXT)))
    changes = {"chunks": chunks, "elements": totals, "justification": justification, "party": draw(CODES)}
    changes["sequence"] = draw(st.integers(1, 2**40))
    return Submission.model_validate(SAMPLES[Submission] | changes)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    codes = sorted(draw(st.sets(CODES, min_size=2, max_size=6)))
    everyone = [(a, b) for a in codes for b in codes if a < b]
    pairs = sorted(draw(st.sets(st.sampled_from(everyone), min_size=1)))
    times = sorted(draw(st.lists(st.integers(0, 2**53 - 1), min_size=4, max_size=4)))
    counts = st.integers(0, 2**40)
    return Manifest.model_validate(
        SAMPLES[Manifest]
        | {
            "participants": [{"party": code, "identity_fingerprint": draw(DIGESTS)} for code in codes],
            "caps": [{"party": code, "elements": {kind: draw(counts) for kind in InputClass}} for code in codes],
            "pairs": pairs,
            "window": dict(zip(("consent_by", "submit_by", "evaluate_by", "closes_at"), times, strict=True)),
            "title": draw(TEXT),
            "area": draw(TEXT),
            "purpose": draw(TEXT),
        }
    )


@given(st.one_of(submissions(), manifests()))
def test_messages_come_back(message: Message) -> None:
    """A message that is written is read as the same message, and its bytes give the same bytes."""
    payload = message.payload()
    again = type(message).from_payload(payload)
    assert again == message
    assert again.payload() == payload


@given(TEXT, CODES, st.integers(1, 2**40))
def test_refusals_come_back(reason: str, party: str, sequence: int) -> None:
    refusal = Refusal(round_id=ROUND, party=party, sequence=sequence, reason=reason)
    assert Refusal.from_payload(refusal.payload()) == refusal


@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_framing_is_injective(left: list[bytes], right: list[bytes]) -> None:
    assert (framed("label", *left) == framed("label", *right)) == (left == right)


@given(st.sampled_from(KINDS), st.data())
def test_one_field_of_anything(kind: type[Message], data: st.DataObject) -> None:
    """One field exchanged for anything gives the same message, another valid one, or an error of the tree."""
    content = json.loads(canonical(SAMPLES[kind]))
    replace_somewhere(content, data)
    payload = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    with contextlib.suppress(AquilaError):
        assert kind.from_payload(payload).payload() == payload


def replace_somewhere(content: Any, data: st.DataObject) -> None:
    while True:
        places = list(content) if isinstance(content, dict) else range(len(content))
        place = data.draw(st.sampled_from(list(places)))
        inner = content[place]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            content[place] = data.draw(JSON)
            return
        content = inner


@given(st.binary(max_size=300))
def test_arbitrary_envelopes(played: StagedRound, envelope: bytes) -> None:
    with pytest.raises(AquilaError):
        played.new_record().accept(envelope)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_mutated_envelopes(played: StagedRound, data: st.DataObject) -> None:
    """An envelope of the round with a byte changed, cut or doubled is refused with an error of the tree."""
    envelope = data.draw(st.sampled_from(played.envelopes))
    place = data.draw(st.integers(0, len(envelope) - 1))
    other = data.draw(
        st.sampled_from([b"", envelope[place : place + 1] * 2, data.draw(st.binary(min_size=1, max_size=1))])
    )
    mutated = envelope[:place] + other + envelope[place + 1 :]
    record, before = played.round, repr(played.round)
    if mutated == envelope:
        assert not record.accept(mutated).new
    else:
        with pytest.raises(AquilaError):
            record.accept(mutated)
    assert repr(record) == before


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_signed_lies(played: StagedRound, data: st.DataObject) -> None:
    """A statement with one value changed, signed by the right key, at any moment of a round: taken, or an error."""
    known = data.draw(st.integers(0, len(played.envelopes) - 1))
    record = played.new_record(sees_everything=data.draw(st.booleans()))
    for envelope in played.envelopes[:known]:
        record.accept(envelope)
    parsed = json.loads(data.draw(st.sampled_from(played.envelopes)))
    content = json.loads(base64.b64decode(parsed["payload"]))
    replace_somewhere(content, data)
    try:
        payload = rfc8785.dumps(content)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError):
        return
    keys = {key.public.fingerprint: key for key in (node.party.identity for node in played.nodes.values())}
    keys[played.matcher.identity.public.fingerprint] = played.matcher.identity
    lie = sign_envelope(parsed["payloadType"], payload, keys[parsed["signatures"][0]["keyid"]])
    before = repr(record)
    try:
        record.accept(lie)
    except AquilaError:
        assert repr(record) == before


@given(st.data())
def test_mutated_registries(played: StagedRound, data: st.DataObject) -> None:
    """A registry file with a few letters changed is a registry or an error of the tree."""
    content = bytearray(write_registry(played.registry))
    place = data.draw(st.integers(0, len(content) - 1))
    content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(AquilaError):
        assert read_registry(write_registry(read_registry(bytes(content))))


@given(st.text(min_size=1, max_size=40))
def test_registries_come_back(played: StagedRound, name: str) -> None:
    """A party's name of any printable text comes back from the file."""
    key = played.registry.parties["SI"].key
    registry = Registry(played.registry.matcher, {"SI": RegisteredParty("SI", name, key)})
    if name.isprintable():
        assert read_registry(write_registry(registry)) == registry


@given(st.binary(max_size=5 * TOKEN_ROW_BYTES))
def test_arbitrary_rows(rows: bytes) -> None:
    whole = len(rows) % TOKEN_ROW_BYTES == 0
    with contextlib.nullcontext() if whole else pytest.raises(AquilaError):
        parsed = parse_rows(rows)
        assert parsed.tobytes() == rows


@given(st.binary(max_size=200))
def test_arbitrary_elements_and_secrets(group: Group, content: bytes) -> None:
    """Bytes that come as elements or as sealed secrets end in the tree as well."""
    with contextlib.suppress(AquilaError):
        check_order(content)
    with pytest.raises(AquilaError):
        RoundSecrets.from_bytes(group, content)
    assert isinstance(error_from_problem(content), AquilaError)


@settings(max_examples=2)
@given(seed=st.integers(0, 2**32))
def test_hits_do_not_depend_on_any_order(group: Group, tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """Records of a list and parties in any order, and other random bytes, give the same hits."""
    random = Random(seed)
    codes = random.sample(sorted(LISTS), len(LISTS))
    lists = {code: random.sample(LISTS[code], len(LISTS[code])) for code in codes}
    stage = StagedRound(group, tmp_path_factory.mktemp("order"), lists, seed=seed)
    assert stage.finalized().matched() == EXPECTED


@settings(max_examples=2)
@given(
    missing=st.sets(st.sampled_from([record.record_id for records in LISTS.values() for record in records]), max_size=6)
)
def test_hits_are_those_of_the_records_that_are_there(
    group: Group, tmp_path_factory: pytest.TempPathFactory, missing: set[str]
) -> None:
    kept = {code: [record for record in LISTS[code] if record.record_id not in missing] for code in LISTS}
    lists = {code: records for code, records in kept.items() if records}
    assume(len(lists) >= 2)
    stage = StagedRound(group, tmp_path_factory.mktemp("missing"), lists)
    assert stage.finalized().matched() == {hit for hit in EXPECTED if not missing & set(hit)}


def test_samples_are_canonical() -> None:
    for kind in KINDS:
        assert kind.from_payload(canonical(SAMPLES[kind])).payload()
    assert len(DIGEST) == 64
