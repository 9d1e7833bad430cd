"""The calendar on the secretariat's first page: what falls due in the next 30 days."""

import pytest

from aquila.interface.rounds import Awaited, AwaitedStep, DeadlineKind, RoundOverview
from aquila.protocol.messages import Window
from aquila.protocol.rounds.round_state import Phase
from clients.web.pages.home import calendar_of

NOW, DAY = 1_800_000_000, 86_400


def overview(number: int, due: DeadlineKind | None, *days: int) -> RoundOverview:
    """Return a round with its deadlines in so many days."""
    moments = [NOW + day * DAY for day in days]
    return RoundOverview(
        round_id=f"{number:032x}",
        title=f"Round {number}",
        phase=Phase.OPEN,
        area="a",
        category="b",
        participants=("AL", "RS"),
        proposed_at=NOW,
        window=Window(**dict(zip(Window.model_fields, moments, strict=True))),
        due=due,
        due_at=None,
        awaited=(AwaitedStep(party="AL", step=Awaited.LIST),),
        pairs={},
    )


def test_deadlines_come_in_their_order() -> None:
    """Of two rounds: what is over or after 30 days is not there, and a party is awaited at the next deadline alone."""
    lists = overview(1, DeadlineKind.LISTS, -7, 3, 10, 31)
    ends = overview(2, DeadlineKind.END, -20, -10, 5, 30)
    found = [(one.round.title, one.kind, one.awaited) for one in calendar_of([ends, lists], NOW)]
    assert found == [
        ("Round 1", DeadlineKind.LISTS, True),
        ("Round 1", DeadlineKind.EVALUATION, False),
        ("Round 2", DeadlineKind.END, True),
    ]


@pytest.mark.parametrize("due", [None, DeadlineKind.END])
def test_a_round_that_is_over_has_none(due: DeadlineKind | None) -> None:
    assert calendar_of([overview(1, due, -4, -3, -2, -1)], NOW) == []
