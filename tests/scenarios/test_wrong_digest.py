"""Bytes come that are not those that were signed."""

import pytest

from aquila.errors import BindingError, DigestError
from tests.support.staged_round import FULL, PARTIAL, StagedRound


def test_another_size_or_digest(stage: StagedRound) -> None:
    stage.submitted()
    evaluation, _ = stage.right_evaluation()
    stage.refused(BindingError, stage.changed("RS", evaluation, elements=3), "class, size or digest")
    stage.refused(BindingError, stage.changed("RS", evaluation, input_digest="0" * 64), "class, size or digest")


def test_other_bytes_than_it_signed(stage: StagedRound) -> None:
    stage.submitted()
    evaluation, elements = stage.right_evaluation()
    with pytest.raises(DigestError) as caught:
        stage.check(evaluation, elements[:-1] + bytes([elements[-1] ^ 1]))
    assert caught.value.fields["chunk"] == FULL


def test_other_elements_than_their_origin_signed(stage: StagedRound) -> None:
    """A chunk that was changed on its way, or cut, is evaluated by nobody."""
    stage.submitted()
    chunk = stage.nodes["SI"].chunks.elements(FULL)
    for other in (chunk[:-32], chunk[:-1], b"", stage.nodes["SI"].chunks.elements(PARTIAL)):
        with pytest.raises(DigestError) as caught:
            stage.send_chunk("SI", "RS", FULL, other)
        assert caught.value.fields["submission"] == stage.nodes["SI"].submission_id
