"""What views count, grade and refuse to show."""

import pytest
from pydantic import ValidationError

from aquila.interface import rounds
from aquila.interface.attention import WaitingCounts
from aquila.interface.queries import PERSON_FIELDS, StandingQueryEntry, StandingQueryRound
from aquila.interface.records import (
    CORRECTABLE,
    SAMPLED_NAMES,
    RecordCorrection,
    RecordSearch,
    SampledRecord,
    rule_yields,
)
from aquila.interface.safeguard import PairCheckView
from aquila.interface.sentence import FaultView, SentenceView
from aquila.interface.service.health import Grade, HealthCheck, RoundHealth, Subject, not_ready, worst
from aquila.interface.statistics import HitTable, LevelHits, RoundStatistics
from aquila.interface.subjects import SubjectField, SubjectSearch
from aquila.matching.certainty import Level
from aquila.protocol.messages import CheckFault, Kind, Mode
from aquila.protocol.registration.templates import read_templates
from aquila.records.person import FIELDS, PartialDate, Record
from aquila.records.rules import load_rules
from aquila.sentences import Sentence, quoted
from tests.support.sample_templates import TEMPLATES_FILE


def test_the_total_counts_every_thing_once() -> None:
    assert WaitingCounts(alarms=1, requests=2, rounds=3, hits=10, new_hits=4, high_hits=2, due_hits=3).total == 16


def test_a_query_asks_by_every_field_but_a_party_s_own_notes() -> None:
    """A new field of a record is one to ask by, or is named here."""
    own_notes = {"category", "source_evaluation", "information_evaluation", "handling_code", "indicators"}
    assert {*PERSON_FIELDS, "record_id"} == set(FIELDS) - own_notes


ROUND = RoundHealth(round_id="a" * 32, phase="open", began_at=1, progress_at=2, awaited=(), stuck=True, here=False)


def test_the_worst_grade_counts() -> None:
    """One critical check makes the whole critical; without a check all is well."""
    assert worst([Grade.WARNING, Grade.CRITICAL, Grade.OK]) is Grade.CRITICAL
    assert worst([Grade.OK, Grade.WARNING]) is Grade.WARNING
    assert worst([]) is Grade.OK


def test_a_service_is_not_ready_without_what_it_needs() -> None:
    """A database that is gone counts, a certificate that ends does not, and neither does a mere warning."""
    checks = [
        HealthCheck(subject=Subject.DATABASE, grade=Grade.CRITICAL),
        HealthCheck(subject=Subject.DISK, grade=Grade.WARNING),
        HealthCheck(subject=Subject.CERTIFICATES, grade=Grade.CRITICAL),
    ]
    assert not_ready(checks, []) == (Subject.DATABASE,)


@pytest.mark.parametrize("subject", list(Subject))
def test_each_subject_counts_or_does_not(subject: Subject) -> None:
    """A critical check of these alone takes a service out of its work; a warning of none."""
    others = {Subject.CLOCK, Subject.CERTIFICATES, Subject.ROUNDS, Subject.ROWS}
    expected = () if subject in others else (subject,)
    assert not_ready([HealthCheck(subject=subject, grade=Grade.CRITICAL)], []) == expected
    assert not_ready([HealthCheck(subject=subject, grade=Grade.WARNING)], []) == ()


def test_a_round_counts_where_it_is_stuck() -> None:
    assert not_ready([], [ROUND]) == ()
    assert not_ready([], [ROUND.model_copy(update={"here": True})]) == (Subject.ROUNDS,)


def test_new_hits_of_a_standing_query_are_those_of_all_its_rounds() -> None:
    rounds = tuple(StandingQueryRound.model_construct(new_hits=hits) for hits in (2, 0, 3))
    assert StandingQueryEntry.model_construct(rounds=rounds).new_hits == 5
    assert StandingQueryEntry.model_construct(rounds=()).new_hits == 0


def test_a_sentence_comes_back_from_json() -> None:
    sentence = Sentence.of("given_up", problem=Sentence.of("chunk_missing"), attempts=3)
    view = SentenceView.model_validate_json(SentenceView.of(sentence).model_dump_json())
    assert view.sentence == sentence
    assert view.text.endswith("(tried 3 times)")


def test_what_is_no_sentence_is_quoted() -> None:
    assert SentenceView(code="No Id", fields={}, text="it failed").sentence == quoted("it failed")


def test_a_fault_has_its_remedy() -> None:
    """The hint is composed with the fields, stays in JSON, and is missing in what an earlier release sent."""
    fault = Sentence.of("health_round_stuck", round="abababab", parties="AL", hours=2)
    view = FaultView.model_validate_json(FaultView.of(fault).model_dump_json())
    assert view.sentence == fault
    assert view.hint == "`aquila call get_round round_id=abababab` shows each step"
    assert FaultView.model_validate(SentenceView.of(fault).model_dump()).hint == ""


HITS = LevelHits(high=10, medium="1-4", low=0, high_and_medium=15, all="<5")
TABLE = HitTable(kind=Kind.QUERY, hits=HITS, pairs=(), parties=())
FIGURES = RoundStatistics(
    round_id="0" * 32,
    phase="closed",
    title="t",
    area="ct",
    category="suspects",
    created_at=1,
    matched_at=2,
    published=True,
    lists=(),
    hits=(TABLE,),
    known=(),
    outcomes=(),
    pair_outcomes=(),
)


def test_by_level_and_above() -> None:
    assert [HITS.of(level) for level in (Level.HIGH, Level.MEDIUM, Level.LOW)] == [10, 15, "<5"]


def test_lists_apart_from_queries() -> None:
    assert (FIGURES.table(Kind.QUERY), FIGURES.table(Kind.LIST)) == (TABLE, None)
    assert RoundStatistics.from_payload(FIGURES.payload()) == FIGURES


@pytest.mark.parametrize("number", [7, -5, "1-5", "5-9"])
def test_no_exact_number_is_one(number: int | str) -> None:
    """A number that is no multiple of 5 is refused, whoever made it."""
    with pytest.raises(ValidationError):
        LevelHits.model_validate(HITS.model_dump() | {"low": number})


def test_a_sampled_record() -> None:
    """Its names as they are read, the date as far as it is known, and how many aliases are left out."""
    aliases = tuple(f"Ana {letter}ovak" for letter in "bdfgklm")
    shown = SampledRecord.of(Record("r", ("Ana",), ("Novak",), aliases=aliases, date_of_birth=PartialDate(1980, 2)))
    assert (shown.date_of_birth, len(shown.names), shown.more_names) == ("1980-02", SAMPLED_NAMES, 3)
    assert (shown.names[1].written, shown.names[1].words) == ("Novak", ("novak",))
    assert SampledRecord.of(Record("r", ("Ana",), ("Novak",))).date_of_birth == ""


def test_each_rule_of_a_table_is_there() -> None:
    table = load_rules("exact")
    (one,) = rule_yields(table, {1: 5}, {1: 2})
    assert (one.rule, one.sentence, one.inputs, one.held_back) == (table.rules[0].name, table.rules[0].sentence, 5, 2)
    (none,) = rule_yields(table, {}, {})
    assert (none.inputs, none.held_back) == (0, 0)


def test_what_is_looked_for_prints_nothing() -> None:
    """A search in a log line or a traceback says neither name nor number."""
    shown = f"{RecordSearch(text='si-1')!r} {RecordSearch(text='Novak')}"
    assert "Novak" not in shown
    assert "si-1" not in shown


def test_a_correction_has_fields_of_a_record() -> None:
    """Texts without a letter are left out; the number is no such field, and no text is printed."""
    wanted = RecordCorrection(fields={"given_names": ("Ana", " "), "family_names": ("",), "sex": ()})
    assert wanted.texts() == {"given_names": ("Ana",)}
    assert "Ana" not in repr(wanted)
    assert "record_id" not in CORRECTABLE
    for name in ("record_id", "shoe_size"):
        with pytest.raises(ValidationError):
            RecordCorrection(fields={name: ("1",)})


PROPOSAL: dict[str, object] = {
    "participants": ["AL", "SI"],
    "title": "2026-04 terrorism",
    "area": "terrorism",
    "legal_basis": "law",
    "purpose": "prevention",
    "category": "suspects",
}


def test_a_proposal_needs_little() -> None:
    proposal = rounds.RoundProposal.model_validate(PROPOSAL)
    assert (proposal.mode, proposal.minimum_certainty, proposal.rules) == (Mode.LISTS, Level.LOW, "default")
    assert (proposal.pairs, proposal.caps, proposal.window, proposal.padding) == ((), (), None, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"participants": ["AL"]},
        {"purpose": ""},
        {"purpose": "pre\u200bvention"},
        {"chunk_elements": 65_536},
        {"colour": "blue"},
    ],
)
def test_a_proposal_that_cannot_be(changes: dict[str, object]) -> None:
    """One party, no purpose, too large chunks or an unknown field are refused at once."""
    with pytest.raises(ValidationError):
        rounds.RoundProposal.model_validate(PROPOSAL | changes)


@pytest.mark.parametrize("state", rounds.AnswerState)
def test_hits_are_complete_when_all_is_answered(state: rounds.AnswerState) -> None:
    """One list or query that is not answered leaves open whether its persons are hits."""
    answers = [rounds.AnswerView(kind=Kind.LIST, submission_id=None, state=one) for one in ("answered", state)]
    hits = rounds.Hits(
        round_id="a" * 32, phase="open", answers=tuple(answers), awaited=(), hits=(), chance=(), problems=()
    )
    assert hits.complete is (state is rounds.AnswerState.ANSWERED)


@pytest.mark.parametrize(
    ("said", "is_distrusted"),
    [
        ({"fault": None, "told": False, "agreed": False, "their_fault": None}, False),
        ({"fault": None, "told": True, "agreed": True, "their_fault": None}, False),
        ({"fault": None, "told": True, "agreed": False, "their_fault": None}, True),
        ({"fault": None, "told": True, "agreed": False, "their_fault": CheckFault.TAGS}, True),
        ({"fault": CheckFault.COLUMNS, "told": False, "agreed": False, "their_fault": None}, True),
        ({"fault": CheckFault.EARLIER, "told": True, "agreed": False, "their_fault": None}, False),
        ({"fault": None, "told": True, "agreed": False, "their_fault": CheckFault.EARLIER}, False),
    ],
)
def test_an_answer_is_distrusted_by_what_a_side_found(said: dict[str, object], *, is_distrusted: bool) -> None:
    check = PairCheckView.model_validate({"submission_id": "a" * 32, "counterpart": "RS", "below": 0} | said)
    assert check.is_distrusted is is_distrusted


def test_a_person_who_is_searched_for_is_one_row_of_a_list() -> None:
    """Lines of a field are several values of it, and what is empty is left out."""
    fields = {
        SubjectField.GIVEN_NAMES: "Petar",
        SubjectField.ALIASES: "Pero\n  Perica \n\n",
        SubjectField.DATE_OF_BIRTH: " \n",
    }
    search = SubjectSearch(file_number="12/2026", fields=fields)
    assert search.texts() == {"given_names": "Petar", "aliases": "Pero;Perica"}
    assert "Petar" not in repr(search)


def test_a_category_has_the_words_of_its_template() -> None:
    categories = rounds.Categories.of(read_templates(TEMPLATES_FILE)).categories
    words = {one.code: (one.words, one.wordings["sq"]) for one in categories}
    assert words["foreign-fighters"] == ("foreign terrorist fighters", "luftëtarë të huaj terroristë")
