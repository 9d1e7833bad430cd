"""The trusted record of a round: what it answers, and that refusing changes nothing."""

import base64
import json
from collections.abc import Callable

import pytest

from aquila.crypto.envelope import sign_envelope
from aquila.errors import AquilaError, EquivocationError, MalformedError, OrderError
from aquila.protocol.messages import (
    ANNOUNCEMENTS,
    PARTY_STATEMENTS,
    Evaluation,
    HitReport,
    Message,
    Receipt,
    Refusal,
    StatementKind,
    Submission,
)
from aquila.protocol.rounds.round_state import Phase
from aquila.protocol.rounds.verified_round import (
    ERASED,
    LARGEST_STATEMENT,
    Round,
    announcement_key,
    read_erased,
    without_justification,
)
from tests.support.samples import read
from tests.support.staged_round import WINDOW, StagedRound


def message_in(envelope: bytes) -> Message:
    parsed = json.loads(envelope)
    kinds = {kind.payload_type: kind for kind in (*PARTY_STATEMENTS, *ANNOUNCEMENTS)}
    return kinds[parsed["payloadType"]].from_payload(base64.b64decode(parsed["payload"]))


def test_a_new_record(stage: StagedRound) -> None:
    record = stage.round
    assert (record.phase, record.participants, record.binding) == (Phase.PROPOSED, (), "")
    assert (record.list_of("SI"), dict(record.sequences)) == (None, {})
    with pytest.raises(OrderError, match="not open yet"):
        _ = record.binding_bytes


def test_whom_a_submission_concerns(staged: Callable[..., StagedRound]) -> None:
    stage = staged(changes={"pairs": (("AL", "RS"), ("RS", "SI"))}).submitted()
    record = stage.round
    assert [record.evaluators_of(stage.nodes[code].submission_id) for code in ("SI", "RS")] == [("RS",), ("AL", "SI")]
    assert [record.counterparts_of(code) for code in ("AL", "RS", "SI")] == [("RS",), ("AL", "SI"), ("RS",)]
    assert record.list_of("SI") == stage.nodes["SI"].submission_id
    assert set(record.sequences["SI"]) == {1, 2, 3}


def test_the_same_envelope_is_not_new(stage: StagedRound) -> None:
    envelope = stage.nodes["SI"].party.refuse(stage.round, 1, "no")
    first, second = stage.round.accept(envelope), stage.round.accept(envelope)
    assert (first.new, second.new, first.signer) == (True, False, "SI")
    assert (first.message, first.digest) == (second.message, second.digest)


def test_numbers_may_have_gaps_and_come_in_any_order(stage: StagedRound) -> None:
    """A number is used once; which one comes next is the signer's affair."""
    party = stage.nodes["SI"].party
    for number in (5, 2, 9):
        assert stage.round.accept(party.refuse(stage.round, number, "no")).new
    with pytest.raises(EquivocationError, match="under the number 2"):
        stage.round.accept(party.refuse(stage.round, 2, "another reason"))
    assert set(stage.round.sequences["SI"]) == {2, 5, 9}


def test_a_node_may_see_tokens_before_their_evaluations(stage: StagedRound) -> None:
    """Others' evaluations do not come to a node; it takes the matcher's word that they were there."""
    stage.finalized()
    record = stage.new_record()
    statements = [envelope for envelope in stage.envelopes if b"evaluation+json" not in envelope]
    for envelope in statements:
        record.accept(envelope)
    assert record.phase is Phase.MATCHING
    assert not record.evaluations


@pytest.mark.parametrize("code", ["AL", "RS", "SI"])
def test_what_a_node_is_shown_is_enough(stage: StagedRound, code: str) -> None:
    stage.reported()
    stage.exchange_notes()
    stage.close()
    record, hidden = stage.new_record(), 0
    own = stage.nodes[code].submission_id
    for envelope in stage.envelopes:
        said = message_in(envelope)
        of_another = isinstance(said, Evaluation | HitReport | Receipt) and said.party != code
        if of_another and said.submission_id != own:
            hidden += 1
            continue
        record.accept(envelope)
    assert hidden > 4
    assert (record.phase, record.binding) == (Phase.CLOSED, stage.round.binding)
    assert set(record.closings) == {"AL", "RS", "SI"}


def test_a_node_knows_that_lists_are_reported_by_its_own_reports(stage: StagedRound) -> None:
    stage.reported()
    records = stage.new_record(sees_everything=True), stage.new_record()
    phases = []
    for envelope in stage.envelopes:
        said = message_in(envelope)
        for record, told in zip(records, ({"AL", "RS", "SI"}, {"SI"}), strict=True):
            if not isinstance(said, HitReport | Receipt) or said.party in told:
                record.accept(envelope)
        if isinstance(said, HitReport):
            phases.append((said.party, *(record.phase for record in records)))
    assert phases == [
        ("AL", Phase.MATCHING, Phase.MATCHING),
        ("RS", Phase.MATCHING, Phase.MATCHING),
        ("AL", Phase.MATCHING, Phase.MATCHING),
        ("SI", Phase.MATCHING, Phase.MATCHING),
        ("RS", Phase.MATCHING, Phase.MATCHING),
        ("SI", Phase.REPORTING, Phase.REPORTING),
    ]
    # To that of AL a report of RS is missing.
    record = stage.new_record()
    for envelope in stage.envelopes:
        said = message_in(envelope)
        if not isinstance(said, HitReport | Receipt) or said.party == "RS":
            record.accept(envelope)
    assert record.phase is Phase.REPORTING


def test_a_restored_record_keeps_no_deadline(stage: StagedRound) -> None:
    """Stored statements are verified again, whatever the time is by now."""
    stage.submitted()
    assert WINDOW.consent_by < stage.manifest.window.closes_at
    restored = stage.restored()
    assert set(restored.submissions) == set(stage.round.submissions)


def test_a_record_is_restored_without_justifications(stage: StagedRound) -> None:
    """What stays of submissions says what evaluations and tokens are of, and nothing of why they were made."""
    stage.submitted()
    restored = Round.from_manifest(stage.registry, stage.group, stage.manifest_envelope)
    for envelope in stage.envelopes:
        found = stage.round.accept(envelope)
        if isinstance(found.message, Submission):
            kept = without_justification(envelope)
            assert found.message.justification.legal_basis.encode() not in kept
            restored.accept_read(read_erased(kept, found.digest))
        else:
            restored.accept(envelope)
    assert restored.sequences == stage.round.sequences
    assert [one.justification for one in restored.submissions.values()] == [ERASED] * 3
    assert [one.chunks for one in restored.submissions.values()] == [
        one.chunks for one in stage.round.submissions.values()
    ]


def test_a_store_that_was_changed_is_not_restored(stage: StagedRound) -> None:
    stage.submitted()
    broken = [stage.envelopes[0][:-5] + b"AAAA=", *stage.envelopes[1:]]
    for envelopes in (broken, stage.envelopes[1:]):
        with pytest.raises(AquilaError):
            stage.restored(envelopes)


def test_an_envelope_that_is_too_long(stage: StagedRound) -> None:
    with pytest.raises(MalformedError, match="too long"):
        stage.round.accept(bytes(LARGEST_STATEMENT + 1))


def test_an_unknown_payload_type(stage: StagedRound) -> None:
    envelope = sign_envelope("application/json", b"{}", stage.matcher.identity)
    stage.refused(MalformedError, envelope)


def test_the_payload_of_another_kind(stage: StagedRound) -> None:
    refusal = stage.statement("SI", Refusal, reason="no")
    key = stage.nodes["SI"].party.identity
    envelope = sign_envelope("application/vnd.aquila.closing+json", refusal.payload(), key)
    stage.refused(MalformedError, envelope, "not a valid Closing message")


def test_what_an_announcement_says_once() -> None:
    """A report is announced once for each pair, side, query and page; other messages not within a round."""
    report = read(HitReport)
    assert announcement_key(report) == (StatementKind.HIT_REPORT, ("SI", "AL", "f" * 32), None)
    page = {"number": 1, "pages": 3}
    for fields, expected in (({}, None), ({"page": page}, 1)):
        key = announcement_key(read(HitReport, submission_id=None, **fields))
        assert key == (StatementKind.HIT_REPORT, ("SI", "AL", None), expected)
    with pytest.raises(MalformedError, match="a refusal is not an announcement"):
        announcement_key(read(Refusal))
