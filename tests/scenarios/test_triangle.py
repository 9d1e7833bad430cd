"""A party tells a counterpart where a third one knows the person too: two lists for two parties are found (3.11.7)."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest

from aquila.errors import MalformedError, SealError
from aquila.followup.lifecycle import FollowUpState
from aquila.matching.certainty import Level
from aquila.protocol import party
from aquila.protocol.messages import HitReport, Padding
from aquila.protocol.rounds.follow_ups import FollowedHit, MetRules, ThirdParty, open_part, read_part, write_part
from aquila.protocol.shadow.meeting import meets_a_set
from aquila.protocol.shadow.triangles import is_closed, sets_of, told_sets
from aquila.protocol.submissions import tasks
from aquila.records.person import Record
from tests.support.follow_ups import REFERENCE, Told, all_not_closed, followed, not_closed, read, sides_of, statement
from tests.support.staged_round import StagedRound, person

GIVEN = ["Besnik", "Ana", "Milos", "Drita", "Goran", "Irena", "Peter", "Luan", "Mira", "Arta"]
FAMILY = ["Hoxha", "Novak", "Kos", "Shehu", "Petrovic", "Zupan", "Gashi", "Leka", "Ilic", "Marku"]


def acknowledged(stage: StagedRound) -> Any:
    """Play until both sides have acknowledged all hits and exchanged their notes; return what they know."""
    stage.match()
    sides = sides_of(stage)
    stage.exchange_notes()
    return sides


def test_two_lists_for_two_parties(stage: StagedRound) -> None:
    """SI sends AL its list, and RS rubbish under the same signed submission: no check but this one sees it."""
    stage.evaluated()
    si = stage.nodes["SI"]
    for index in range(len(si.chunks)):
        stage.answers[si.submission_id, index, "RS"].path.write_bytes(si.chunks.elements(index))
    with pytest.MonkeyPatch.context() as careless:  # it does not look at what it takes for RS's answers
        careless.setattr(party, "check_digest", lambda *_, **_fields: None)
        careless.setattr(tasks, "verify_answers", lambda _, _chunk, told: [one.elements for one in told])
        stage.finalize_all()
    sides = acknowledged(stage)
    assert set(stage.checked.values()) == {None}
    assert not stage.refuted
    found, _ = all_not_closed(stage, sides)
    # SI reads the same as RS, and knows why.
    assert found == {Told("AL", "RS", "SI"), Told("AL", "SI", "RS")}


def test_hit_hidden_from_both_sides(stage: StagedRound) -> None:
    """The matcher hides one hit of a person whom three parties know."""
    stage.finalized()

    def lie(report: HitReport) -> HitReport:
        if {report.party, report.counterpart} != {"RS", "SI"}:
            return report
        ids = stage.nodes[report.party].record_ids_of([bytes.fromhex(hit.handle) for hit in report.hits], "")
        kept = [hit for hit in report.hits if ids[bytes.fromhex(hit.handle)] not in {"rs-3", "si-4"}]
        return report.model_copy(update={"hits": tuple(kept)})

    stage.lie = lie
    found, _ = all_not_closed(stage, acknowledged(stage))
    assert found == {Told("AL", "RS", "SI"), Told("AL", "SI", "RS")}


def test_no_pair_is_told_where_columns_do_not_fit(stage: StagedRound) -> None:
    """A pair whose hits are not trusted already raises nothing else."""
    stage.finalized()
    stage.lie = lambda report: (
        report.model_copy(update={"hits": (), "basis": report.basis.model_copy(update={"met": None})})
        if {report.party, report.counterpart} == {"RS", "SI"}
        else report
    )
    assert all_not_closed(stage, acknowledged(stage))[0] == set()


def people(code: str, random: Random) -> Sequence[Record]:
    """Twelve persons whom all know, whose records differ a little here and there, some twice, and eight of its own."""
    common = Random(7)
    records = []
    for number in range(20):
        source = common if number < 12 else random
        given, family = source.sample(GIVEN, 2), source.choice(FAMILY)
        born = f"{source.randint(1950, 1999)}-{source.randint(1, 12):02}-{source.randint(1, 28):02}"
        names = given if random.random() < 0.7 else given[:1]
        if random.random() < 0.15:
            born = born[:5] + "01" + born[7:]
        records += [
            person(f"{code}-{number}-{again}", " ".join(names), family, born) for again in range(1 + number % 2)
        ]
    return records


@pytest.mark.parametrize(
    ("parties", "changes"),
    [
        ("AL RS SI", {"padding": Padding(inputs_per_record=(8, 16, 24, 32), records_multiple=10)}),
        ("AL BA RS SI", {"frequency_limit": 1, "pairs": (("AL", "BA"), ("AL", "RS"), ("AL", "SI"), ("BA", "RS"))}),
        ("AL BA RS", {"minimum_certainty": Level.HIGH}),
    ],
)
def test_honest_rounds_raise_nothing(staged: Callable[..., StagedRound], parties: str, changes: dict[str, Any]) -> None:
    """Padding, values left out, several records of a person, pairs apart, pairs below: every triangle is closed."""
    lists = {code: people(code, Random(code)) for code in parties.split()}
    stage = staged(lists, rules="default", changes=changes, chunk_elements=5_000).finalized()
    found, lines = all_not_closed(stage, acknowledged(stage))
    assert not found
    assert lines > 10


def test_more_is_told_than_met(stage: StagedRound) -> None:
    """A liar names rules under which its record did not meet the receiver's."""
    sides = acknowledged(stage.finalized())
    honest = followed(stage, sides, "AL", "RS")
    lies = [hit._replace(third={"SI": ThirdParty(0b100, REFERENCE.format("AL"))}) for hit in honest]
    assert not_closed(stage, sides, "AL", "RS", read(stage, statement(stage, "AL", "RS", lies))) == {
        Told("AL", "RS", "SI")
    }


def test_nothing_is_told_that_the_matcher_does_not_tell(stage: StagedRound) -> None:
    """Only where the records of both others meet under a set of their lists, so that they are told of the pair."""
    stage.submitted()
    sets = told_sets(stage.round, stage.table, "RS", "SI")
    assert meets_a_set(0b01, sets)
    assert not meets_a_set(0b10, sets)
    del stage.round.submissions[stage.nodes["SI"].submission_id]
    assert told_sets(stage.round, stage.table, "RS", "SI") == ()


def test_rules_that_surely_met_on_one_value() -> None:
    """Where a record has two values of a rule and each hit is on one of them, these may be two."""
    one, other = MetRules.of(bytes([1, 1, 2]), bytes([0, 2])), MetRules.of(bytes([2, 1, 1]), bytes([0, 1]))
    every = MetRules.of(bytes([1, 2, 1]), bytes([0, 1, 2]))
    assert (one, every) == (MetRules(0b11, 0b10), MetRules(0b11, 0b11))
    assert one.common(other) == 0b10
    assert one.common(every) == every.common(one) == 0b11


def test_a_set_has_to_be_told() -> None:
    sets = [0b011]
    assert is_closed(0b001, 0b111, sets, [])
    assert is_closed(0b011, 0b111, sets, [0b100, 0b111])
    assert not is_closed(0b111, 0b111, sets, [0b011])
    assert not is_closed(0b011, 0b001, sets, [0b011])


def test_before_its_own_report_nothing_is_judged(stage: StagedRound) -> None:
    assert sets_of(stage.finalized().nodes["RS"].round, stage.table, "RS", "SI") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:16] + b"\x07" + content[17:],
        lambda content: content[:16] + b"\x00" + content[17:],
        lambda content: content[:-1],
        lambda content: content[:25] + b"lower" + content[30:],
    ],
    ids=["an unknown state", "no state", "a part of a hit", "no reference"],
)
def test_unreadable_content(change: Callable[[bytes], bytes]) -> None:
    third = {"SI": ThirdParty(3, REFERENCE.format("AL"))}
    hits = [FollowedHit("0b" * 16, state, third) for state in FollowUpState]
    content = write_part(hits, 9, ["SI"])
    assert read_part(content, "AL", ["SI"]) == hits
    assert len(content) == len(write_part([], 9, ["SI"]))
    with pytest.raises(MalformedError, match="no follow-up"):
        read_part(change(write_part(hits[:1], 1, ["SI"])), "AL", ["SI"])


def test_sealed_for_this_pair_alone(stage: StagedRound) -> None:
    sides = acknowledged(stage.finalized())
    message = stage.publish(statement(stage, "AL", "RS", followed(stage, sides, "AL", "RS"))).message
    with stage.nodes["SI"].pair_key("RS") as key, pytest.raises(SealError, match="does not open"):
        open_part(key, message)
    with stage.nodes["SI"].pair_key("RS") as key, pytest.raises(SealError, match="does not open"):
        open_part(key, message.model_copy(update={"sealed": "abc"}))
