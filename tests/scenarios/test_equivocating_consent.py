"""A party signs two consents: to bring two sets of keys, or to be shown to two audiences."""

import pytest

from aquila.crypto.shares import Share, new_share
from aquila.errors import BindingError, EquivocationError
from aquila.records.rules import InputClass
from tests.support.staged_round import StagedRound


def two_consents(stage: StagedRound, code: str) -> tuple[bytes, bytes]:
    """Return two consents of one party under one number, with different keys."""
    first, second = (stage.consent_with(code, *new_shares(stage)) for _ in range(2))
    return first, second


def new_shares(stage: StagedRound) -> list[Share]:
    return [new_share(stage.group, stage.random) for _ in InputClass]


def test_the_second_consent_is_evidence(stage: StagedRound) -> None:
    """The same number twice with other contents is refused, and the error names both digests."""
    first, second = two_consents(stage, "SI")
    stage.publish(first)
    with pytest.raises(EquivocationError) as caught:
        stage.round.accept(second)
    assert caught.value.fields["expected"] == stage.round.consent_digests["SI"] != caught.value.fields["got"]
    stage.refused(EquivocationError, second)


def test_two_audiences_find_out(stage: StagedRound) -> None:
    first, second = two_consents(stage, "SI")
    for node, shown in ((stage.nodes["AL"], first), (stage.nodes["RS"], second)):
        node.secrets, own = node.party.consent(node.round, node.next_sequence(), (), stage.random)
        for record in (stage.round, stage.nodes["AL"].round, stage.nodes["RS"].round):
            record.accept(own)
        node.round.accept(shown)
    stage.round.accept(first)
    opening = stage.matcher.open(stage.round, stage.now)
    stage.nodes["AL"].round.accept(opening)
    with pytest.raises(BindingError, match="consent of SI that was not shown here"):
        stage.nodes["RS"].round.accept(opening)


def test_a_consent_with_other_keys_later(stage: StagedRound) -> None:
    """A second consent under the next number is an equivocation too, also after the opening."""
    stage.consent()
    other = stage.consent_with("SI", *new_shares(stage))
    stage.refused(EquivocationError, other, "consented already")
