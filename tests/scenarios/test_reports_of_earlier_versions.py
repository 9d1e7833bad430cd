"""Reports of early versions lack what hits are verified by: they are read in rounds of those versions alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aquila.errors import MalformedError

if TYPE_CHECKING:
    from aquila.protocol.messages import HitReport
    from tests.support.staged_round import StagedRound

LATER = [
    ("report", "learned"), ("bases", "duplicates_per_million"), ("bases", "settled"), ("bases", "chance_hits"),
    ("hits", "counterpart_handle"), ("hits", "second"), ("hits", "met"),
]  # fmt: skip
"""Fields that reports got after the first version."""


def without(report: HitReport, where: str, field: str) -> HitReport:
    """Return a report that lacks a field of its own, of its bases or of its hits."""
    parts: tuple[Any, ...] = getattr(report, where, ())
    changes = {field: None} if where == "report" else {where: tuple(p.model_copy(update={field: None}) for p in parts)}
    return report.model_copy(update=changes)


@pytest.mark.parametrize(("where", "field"), LATER)
def test_a_matcher_leaves_out_what_hits_are_verified_by(stage: StagedRound, where: str, field: str) -> None:
    """In a round of today such a report is refused: its hits could be neither confirmed nor refuted."""
    stage.finalized().lie = lambda report: without(report, where, field)
    with pytest.raises(MalformedError, match="lacks what its hits are verified by"):
        stage.match()
