"""The life of a hit: which step follows which, and which clock runs."""

import tomllib
from contextlib import nullcontext
from dataclasses import replace
from importlib import resources

import pytest

from aquila.errors import OrderError, PolicyError
from aquila.followup.lifecycle import (
    HOUR,
    Channel,
    Decision,
    Ground,
    HitLifecycle,
    HitOutcome,
    LifecycleStep,
    LifecycleStepKind,
    Stage,
    Urgency,
    handling_codes,
)
from aquila.records.person import CODES as FIELD_CODES

WHO = "p-0123456789ab"
ACKNOWLEDGED = LifecycleStep(LifecycleStepKind.ACKNOWLEDGED, 10, WHO)
SAME = LifecycleStep(LifecycleStepKind.DECIDED, 20, WHO, "same")
OTHER = LifecycleStep(LifecycleStepKind.DECIDED, 20, WHO, "not_the_same")
OPENED = LifecycleStep(LifecycleStepKind.OPENED, 30, WHO, "siena", "", Urgency.URGENT)
CLOSED = LifecycleStep(LifecycleStepKind.CLOSED, 40, WHO, "confirmed")
WITHDRAWN = LifecycleStep(LifecycleStepKind.WITHDRAWN, 50, "SI", "incorrect")
ERASED = LifecycleStep(LifecycleStepKind.WITHDRAWN, 60, "SI", "erased")

CARRIED = LifecycleStep(LifecycleStepKind.CARRIED, 5, "", "same")

REPLACED = LifecycleStep(LifecycleStepKind.REPLACED, 12, "")
BROUGHT = {  # by another round, and so by no analyst
    (LifecycleStepKind.CARRIED, Stage.NEW),
    (LifecycleStepKind.CARRIED, Stage.KNOWN),
    (LifecycleStepKind.REPLACED, Stage.NEW),
    (LifecycleStepKind.REPLACED, Stage.ACKNOWLEDGED),
}

STAGES = {
    Stage.NEW: (),
    Stage.KNOWN: (CARRIED,),
    Stage.ACKNOWLEDGED: (ACKNOWLEDGED,),
    Stage.DECIDED: (ACKNOWLEDGED, SAME),
    Stage.FOLLOW_UP: (ACKNOWLEDGED, SAME, OPENED),
    Stage.CLOSED: (ACKNOWLEDGED, SAME, OPENED, CLOSED),
    Stage.WITHDRAWN: (WITHDRAWN,),
    Stage.REPLACED: (ACKNOWLEDGED, REPLACED),
}
SAMPLES = {
    LifecycleStepKind.CARRIED: CARRIED,
    LifecycleStepKind.REPLACED: REPLACED,
    LifecycleStepKind.ACKNOWLEDGED: ACKNOWLEDGED,
    LifecycleStepKind.ASSIGNED: LifecycleStep(LifecycleStepKind.ASSIGNED, 15, WHO, reference="p-ba9876543210"),
    LifecycleStepKind.REMARKED: LifecycleStep(LifecycleStepKind.REMARKED, 15, WHO, remark="asked by telephone"),
    LifecycleStepKind.DECIDED: SAME,
    LifecycleStepKind.UNDONE: LifecycleStep(LifecycleStepKind.UNDONE, 25, WHO),
    LifecycleStepKind.OPENED: OPENED,
    LifecycleStepKind.REFERENCED: LifecycleStep(LifecycleStepKind.REFERENCED, 70, WHO, reference="S-1"),
    LifecycleStepKind.REPLIED: LifecycleStep(LifecycleStepKind.REPLIED, 70, WHO, "2026-11-26", "S-2"),
    LifecycleStepKind.PERMITTED: LifecycleStep(LifecycleStepKind.PERMITTED, 70, WHO, reference="letter 7"),
    LifecycleStepKind.EXPORTED: LifecycleStep(LifecycleStepKind.EXPORTED, 70, WHO),
    LifecycleStepKind.REMINDED: LifecycleStep(LifecycleStepKind.REMINDED, 75, WHO),
    LifecycleStepKind.RECEIVED: LifecycleStep(LifecycleStepKind.RECEIVED, 70, WHO, "2026-11-26", "R-1", Urgency.URGENT),
    LifecycleStepKind.ANSWERED: LifecycleStep(LifecycleStepKind.ANSWERED, 90, WHO, "2026-11-27", "R-2"),
    LifecycleStepKind.CLOSED: CLOSED,
    LifecycleStepKind.REOPENED: LifecycleStep(LifecycleStepKind.REOPENED, 80, WHO, remark="another document was found"),
    LifecycleStepKind.WITHDRAWN: WITHDRAWN,
}


@pytest.mark.parametrize("stage", Stage)
def test_what_is_possible_is_what_can_be_done(stage: Stage) -> None:
    """In every stage exactly the steps that are named as possible are taken, and all others are refused."""
    life = HitLifecycle.of(0, STAGES[stage])
    assert life.stage is stage
    assert not BROUGHT & {(one, stage) for one in life.possible()}
    for kind in LifecycleStepKind:
        is_taken = kind in life.possible() or (kind, stage) in BROUGHT
        with nullcontext() if is_taken else pytest.raises(OrderError):
            life.after(SAMPLES[kind])


def test_a_whole_life() -> None:
    steps = (
        *STAGES[Stage.FOLLOW_UP],
        SAMPLES[LifecycleStepKind.REFERENCED],
        SAMPLES[LifecycleStepKind.PERMITTED],
        CLOSED,
    )
    life = HitLifecycle.of(0, steps)
    assert (life.decision, life.channel, life.urgency) == (Decision.SAME, Channel.SIENA, Urgency.URGENT)
    assert (life.reference, life.permission, life.outcome) == ("S-1", "letter 7", HitOutcome.CONFIRMED)
    assert life.since == 40


def test_a_decision_may_change() -> None:
    """An analyst may decide anew, also while the follow-up runs; its clock goes on then."""
    assert HitLifecycle.of(0, [ACKNOWLEDGED, OTHER, SAME, OPENED]).stage is Stage.FOLLOW_UP
    life = HitLifecycle.of(
        0, [*STAGES[Stage.FOLLOW_UP], LifecycleStep(LifecycleStepKind.DECIDED, 99, WHO, "cannot_tell")]
    )
    assert (life.stage, life.decision, life.since) == (Stage.FOLLOW_UP, Decision.UNSURE, OPENED.at)


@pytest.mark.parametrize("before", [(), (ACKNOWLEDGED,), (ACKNOWLEDGED, OTHER), STAGES[Stage.FOLLOW_UP]])
def test_a_decision_is_undone_once_and_at_once(before: tuple[LifecycleStep, ...]) -> None:
    """Undoing leads back to the life before, clock included; no step may lie between, and it is done once."""
    undone = SAMPLES[LifecycleStepKind.UNDONE]
    decided = LifecycleStep(LifecycleStepKind.DECIDED, 90, WHO, "cannot_tell")
    life = HitLifecycle.of(0, before)
    back = HitLifecycle.of(0, [*before, decided, undone])
    assert (back.stage, back.decision, back.due_at) == (life.stage, life.decision, life.due_at)
    for steps in ([decided, undone], [decided, SAMPLES[LifecycleStepKind.PERMITTED]]):
        with pytest.raises(OrderError):
            HitLifecycle.of(0, [*before, *steps, undone])


def test_a_known_pair_carries_what_was_done() -> None:
    steps = [
        LifecycleStep(LifecycleStepKind.CARRIED, 5, "", value, reference)
        for value, reference in (("same", ""), ("siena", "S-1"), ("confirmed", ""))
    ]
    life = HitLifecycle.of(0, steps)
    assert (life.stage, life.due_at, life.reference) == (Stage.KNOWN, None, "S-1")
    assert (life.decision, life.channel, life.outcome) == (Decision.SAME, Channel.SIENA, HitOutcome.CONFIRMED)
    assert LifecycleStepKind.CARRIED not in life.possible()
    again = life.after(OTHER)
    assert (again.stage, again.channel, again.outcome) == (Stage.DECIDED, None, None)
    assert life.after(OPENED).outcome is None
    with pytest.raises(ValueError, match="perhaps"):
        HitLifecycle.of(0, [LifecycleStep(LifecycleStepKind.CARRIED, 5, "", "perhaps")])


def test_somebody_looks_after_a_hit() -> None:
    """Who takes it up or decides first, until it is handed over or given back; undoing a decision undoes this too."""
    life, handed_over = HitLifecycle.of(0, [SAME]), SAMPLES[LifecycleStepKind.ASSIGNED]
    assert life.assignee == HitLifecycle.of(0, [ACKNOWLEDGED]).assignee == WHO
    assert HitLifecycle.of(0, [handed_over, SAME]).assignee == handed_over.reference
    assert life.after(handed_over).after(LifecycleStep(LifecycleStepKind.ASSIGNED, 30, WHO)).assignee == ""
    assert life.after(SAMPLES[LifecycleStepKind.UNDONE]).assignee == ""
    remarked = life.after(SAMPLES[LifecycleStepKind.REMARKED])
    assert (remarked.stage, remarked.due_at, remarked.assignee) == (life.stage, life.due_at, life.assignee)


def test_another_person_is_not_followed_up() -> None:
    life = HitLifecycle.of(0, [ACKNOWLEDGED, OTHER])
    assert LifecycleStepKind.OPENED not in life.possible()
    with pytest.raises(OrderError, match="another person"):
        life.after(OPENED)
    assert life.after(LifecycleStep(LifecycleStepKind.CLOSED, 30, WHO, "refuted")).outcome is HitOutcome.REFUTED


@pytest.mark.parametrize(
    ("steps", "due"),
    [
        ((), 48 * HOUR),
        ((ACKNOWLEDGED,), 48 * HOUR),
        ((ACKNOWLEDGED, SAME), 20 + 48 * HOUR),
        ((ACKNOWLEDGED, SAME, OPENED), 30 + 8 * HOUR),
        ((ACKNOWLEDGED, SAME, LifecycleStep(LifecycleStepKind.OPENED, 30, WHO, "interpol")), 30 + 48 * HOUR),
        ((ACKNOWLEDGED, SAME, CLOSED), None),
        ((WITHDRAWN,), None),
    ],
)
def test_clocks(steps: tuple[LifecycleStep, ...], due: int | None) -> None:
    """A review has 48 hours, an answer 8 or 48 by its urgency, and an end has no clock."""
    life = HitLifecycle.of(0, steps)
    assert life.due_at == due


@pytest.mark.parametrize(("hours", "late"), [(0, False), (48, False), (49, True)])
def test_a_late_withdrawal_is_marked(hours: int, *, late: bool) -> None:
    """After the correction duty's hours a withdrawal is still one, and says that it was late."""
    life = HitLifecycle.of(0, [LifecycleStep(LifecycleStepKind.WITHDRAWN, hours * HOUR, "SI", "unlawful")])
    assert (life.stage, life.ground, life.late) == (Stage.WITHDRAWN, Ground.UNLAWFUL, late)


def test_what_was_withdrawn_can_still_be_erased() -> None:
    life = HitLifecycle.of(0, [WITHDRAWN, ERASED])
    assert life.ground is Ground.ERASED
    for step in (WITHDRAWN, ERASED):
        with pytest.raises(OrderError, match="withdrawn already"):
            life.after(step)


def test_a_handling_code_blocks_until_a_permission_is_recorded() -> None:
    life = HitLifecycle.of(0, STAGES[Stage.FOLLOW_UP])
    with pytest.raises(PolicyError, match="H2"):
        life.check_export("H2")
    life.after(SAMPLES[LifecycleStepKind.PERMITTED]).check_export("H2")


@pytest.mark.parametrize("code", [None, "", "H0", "H1", "H3"])
def test_other_codes_do_not_block(code: str | None) -> None:
    """Without a code, and under the others, a letter of references goes; its conditions are stated in it."""
    life = HitLifecycle.of(0)
    life.check_export(code)
    assert life.blocked_by(code) is None


def test_the_handling_codes_are_those_of_records_and_notes() -> None:
    assert tuple(handling_codes()) == FIELD_CODES["handling_code"]
    assert all(code == row.code and row.condition for code, row in handling_codes().items())
    text = resources.files("aquila.followup").joinpath("handling_codes.toml").read_text("utf-8")
    assert "6243/18" in tomllib.loads(text)["source"]


@pytest.mark.parametrize(
    ("before", "stage"),
    [((ACKNOWLEDGED, SAME), Stage.DECIDED), (STAGES[Stage.FOLLOW_UP], Stage.FOLLOW_UP), ((CARRIED,), Stage.DECIDED)],
)
def test_a_closed_hit_is_reopened_with_a_reason(before: tuple[LifecycleStep, ...], stage: Stage) -> None:
    closed = HitLifecycle.of(0, [*before, CLOSED])
    life = closed.after(SAMPLES[LifecycleStepKind.REOPENED])
    assert (life.stage, life.outcome, life.since) == (stage, None, 80)
    assert life.due_at is not None
    with pytest.raises(PolicyError, match="with a reason"):
        closed.after(LifecycleStep(LifecycleStepKind.REOPENED, 80, WHO, remark=" "))


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="perhaps"):
        HitLifecycle.of(0, [ACKNOWLEDGED, LifecycleStep(LifecycleStepKind.DECIDED, 20, WHO, "perhaps")])


def test_remarks_do_not_show_themselves() -> None:
    assert "Hoxha" not in repr(LifecycleStep(LifecycleStepKind.CLOSED, 1, WHO, "confirmed", remark="Hoxha"))


def test_a_reply_answers_a_follow_up() -> None:
    """Its date and number are kept, the hit is due to be closed, and another follow-up begins without it."""
    replied = SAMPLES[LifecycleStepKind.REPLIED]
    life = HitLifecycle.of(0, (*STAGES[Stage.FOLLOW_UP], replied))
    assert (life.replied_on, life.reply, life.stage) == ("2026-11-26", "S-2", Stage.FOLLOW_UP)
    assert life.due_at == replied.at + 48 * HOUR
    # It may come late, and not where nobody was asked.
    assert HitLifecycle.of(0, (*STAGES[Stage.CLOSED], replied)).due_at is None
    unasked = HitLifecycle.of(0, (*STAGES[Stage.DECIDED], CLOSED))
    assert LifecycleStepKind.REPLIED not in unasked.possible()
    with pytest.raises(OrderError, match="none was opened"):
        unasked.after(replied)
    known = HitLifecycle.of(0, (CARRIED, OPENED, replied))
    assert known.reply == "S-2"


def test_a_request_is_reminded_of_once_it_went_and_until_it_is_answered() -> None:
    """The first export is when it went, reminders are counted, and none of them puts the clock off."""
    exported, reminded = SAMPLES[LifecycleStepKind.EXPORTED], SAMPLES[LifecycleStepKind.REMINDED]
    life = HitLifecycle.of(0, STAGES[Stage.FOLLOW_UP])
    with pytest.raises(OrderError) as caught:
        life.after(reminded)
    assert caught.value.sentence.code == "reminder_not_due"
    again = replace(reminded, at=80)
    life = HitLifecycle.of(0, (*STAGES[Stage.FOLLOW_UP], exported, reminded, replace(exported, at=76), again))
    assert (life.opened_at, life.sent_at, life.reminders, life.reminded_at) == (OPENED.at, exported.at, 2, 80)
    assert life.due_at == OPENED.at + 8 * HOUR
    assert LifecycleStepKind.REMINDED not in life.after(SAMPLES[LifecycleStepKind.REPLIED]).possible()
    # Another follow-up begins without them.
    fresh = HitLifecycle.of(0, (CARRIED, OPENED))
    assert (fresh.sent_at, fresh.reminders, fresh.reminded_at) == (None, 0, None)


def test_a_request_of_the_counterpart_has_a_clock() -> None:
    """It runs in any stage beside the own one, from the recording or the end of the letter's day, until the answer."""
    received, answered = SAMPLES[LifecycleStepKind.RECEIVED], SAMPLES[LifecycleStepKind.ANSWERED]
    arrived, on = 1_764_000_000, replace(received, value="2025-11-24")  # 24 November 2025, 16:00 UTC
    midnight = arrived + 8 * HOUR
    life = HitLifecycle.of(arrived, [replace(on, at=arrived + HOUR)])
    assert (life.stage, life.due_at, life.own_due_at) == (Stage.NEW, arrived + 9 * HOUR, arrived + 48 * HOUR)
    late = HitLifecycle.of(arrived, [replace(on, at=arrived + 30 * HOUR)])
    assert late.due_at == midnight + 8 * HOUR
    # A further letter reminds of the first, whose clock runs on.
    reminded = life.after(replace(received, at=arrived + 5 * HOUR, reference="R-9", urgency=None))
    assert reminded.received is not None
    assert (reminded.received.number, reminded.received.reminders, reminded.due_at) == ("R-1", 1, life.due_at)
    done = reminded.after(answered)
    assert done.received is not None
    assert (done.received.answered_on, done.received.answer, done.received.due_at) == ("2026-11-27", "R-2", None)
    assert done.due_at == done.own_due_at
    # After the answer another request begins, normal if it says nothing; a withdrawn hit has no clock.
    fresh = done.after(replace(received, at=arrived + 6 * HOUR, value="2025-11-24", urgency=None))
    assert fresh.received is not None
    assert fresh.received.due_at == arrived + 54 * HOUR
    assert fresh.after(WITHDRAWN).due_at is None
    with pytest.raises(OrderError, match="none is open"):
        done.after(answered)
    assert LifecycleStepKind.ANSWERED not in HitLifecycle.of(0).possible()
    closed = HitLifecycle.of(0, (*STAGES[Stage.CLOSED], received))
    assert closed.due_at == received.at + 8 * HOUR
