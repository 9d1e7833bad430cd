"""What guards against fishing, as tables and sentences."""

from __future__ import annotations

from aquila.interface.safeguard import CanaryView, FishingAlarmView, Safeguards, SpentView
from aquila.protocol.messages import Justification
from aquila.records.rules import InputClass
from clients.cli.output.screen import Table
from clients.cli.services.safeguards import tables

SPENT = SpentView(
    origin="RS", input_class=InputClass.FULL, in_round=5, round_cap=10, in_day=1_000, day_cap=2_000, in_window=6,
    window_cap=30, window_days=30, window_rounds=2,
)  # fmt: skip
WHY = Justification(
    legal_basis="Art. 5", purpose="an attack", case_reference="AL-7", category="terrorism", officer="p-0123456789ab"
)
FINE = {"judged": True, "expected": 8, "missing": 0, "wrong": 0, "differing": False}


def view(**more: object) -> Safeguards:
    """Return a view with something in it."""
    empty: dict[str, object] = {
        "round_id": "0" * 32, "spent": (), "earlier_rounds": (), "earlier_sentence": "", "held_back": 3,
        "frequency_limit": 8, "alarms": (), "canaries": (),
    }  # fmt: skip
    return Safeguards.model_validate(empty | more)


def test_all_of_it() -> None:
    """Elements beside caps, earlier rounds, values held back, planted hits and alarms."""
    canaries = [
        CanaryView(counterpart="RS", hits=8, **FINE),
        CanaryView(counterpart="SI", hits=0, **(FINE | {"judged": False})),
        CanaryView(counterpart="BA", hits=2, **(FINE | {"missing": 6})),
        CanaryView(counterpart="ME", hits=0, **(FINE | {"expected": 0})),
    ]
    alarm = {"submission_id": "1" * 32, "asker": "RS", "hits": 40, "expected": 1_500, "raised_at": 1}
    alarms = [
        FishingAlarmView(**alarm, released_at=None, released_by=None),
        FishingAlarmView(**alarm, released_at=2, released_by="p-0123456789ab"),
        FishingAlarmView(
            **alarm,
            released_at=None,
            released_by=None,
            refused_at=3,
            refused_by="p-0123456789ab",
            refused_because="too wide",
            justification=WHY,
        ),
    ]
    spent = {"evaluator": "AL", "origin": "RS", "full": 70, "partial": 8}
    earlier = [
        {"round_id": "2" * 32, "came_at": 0, "spent": [spent]},
        {"round_id": "3" * 32, "came_at": None, "spent": []},
    ]
    shown = tables(
        view(spent=(SPENT,), earlier_rounds=earlier, earlier_sentence="Compare.", canaries=canaries, alarms=alarms)
    )
    assert isinstance(shown[1], Table)
    assert shown[1].rows == [("22222222", "1970-01-01 00:00 UTC", "AL", "RS", 70, 8)]
    assert isinstance(shown[0], Table)
    assert shown[0].columns[-2:] == ("in 30 days", "rounds")
    text = "\n".join(line for line in shown if isinstance(line, str))
    for sentence in (
        "2 earlier rounds. Compare.",
        "3 values that more than 8 records share",
        "Planted hits with RS: all 8 were met.",
        "Planted hits with SI: the other side has not told of them yet.",
        "Planted hits with BA: 6 of 8 are missing, 0 are wrong.",
        "Planted hits with ME: no planted hit had to be met, so they show nothing.",
        "hide hits while all planted ones are met.",
        "query 11111111 of RS hit 40 records, where 1.5 are explained; held back.",
        "released by p-0123456789ab.",
        "answer refused by p-0123456789ab: too wide. Asked for an attack, case AL-7, on Art. 5.",
    ):
        assert sentence in text


def test_nothing_yet() -> None:
    """Before anything was evaluated."""
    assert tables(view())[1] == "This node knows of no earlier round between these parties."
