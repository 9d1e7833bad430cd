"""The matcher shows two manifests under one round id."""

import pytest

from aquila.errors import BindingError, MalformedError
from aquila.protocol.messages import Submission
from aquila.protocol.rounds.verified_round import Round
from tests.support.staged_round import StagedRound


def other_manifest(stage: StagedRound) -> bytes:
    return stage.matcher.propose(stage.manifest.model_copy(update={"purpose": "another purpose"}))


def test_a_consent_to_the_other_manifest_is_refused(stage: StagedRound) -> None:
    other = Round.from_manifest(stage.registry, stage.group, other_manifest(stage))
    _, envelope = stage.nodes["SI"].party.consent(other, 1, (), stage.random)
    stage.refused(BindingError, envelope, "another manifest")


def test_the_bindings_differ(stage: StagedRound) -> None:
    other = Round.from_manifest(stage.registry, stage.group, other_manifest(stage))
    stage.locked()
    for node in stage.nodes.values():
        other.accept(node.party.consent(other, 1, (), stage.random)[1])
    other.accept(stage.matcher.open(other, stage.now))
    assert other.binding != stage.round.binding
    stage.submit(stage.nodes["SI"])
    with pytest.raises(BindingError, match="shown another manifest or other consents"):
        other.accept(stage.envelopes[-1])


def test_a_statement_under_a_binding_that_never_was(stage: StagedRound) -> None:
    stage.submitted()
    submission = stage.round.submissions[stage.nodes["SI"].submission_id]
    assert isinstance(submission, Submission)
    stage.refused(BindingError, stage.changed("SI", submission, binding="0" * 64), "another binding")


def test_a_second_manifest_is_no_statement_of_the_round(stage: StagedRound) -> None:
    stage.refused(MalformedError, other_manifest(stage), "not an announcement")
    stage.refused(MalformedError, stage.manifest_envelope, "not an announcement")
