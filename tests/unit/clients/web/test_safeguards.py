"""What a node's page of a round shows of the limits against fishing."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from aquila.interface.rounds import PartyAnswer
from aquila.interface.safeguard import (
    EarlierRoundView,
    EarlierSpent,
    FishingAlarmView,
    PairCheckView,
    Safeguards,
    SpentView,
)
from aquila.interface.sentence import SentenceView
from aquila.protocol.messages import CheckFault, Justification
from aquila.records.rules import InputClass
from aquila.sentences import Sentence
from clients.web.app.site import environment_of

ROUND, QUERY = "a" * 32, "b" * 32


@dataclass
class Visitor:
    """Somebody who looks at the page, with some actions of the role table."""

    actions: frozenset[str]
    form_token: str = field(default="c" * 64)

    def may(self, action: str) -> bool:
        return action in self.actions


def card(found: Safeguards, *actions: str, tag: str = "en") -> str:
    template = environment_of(tag).get_template("safeguards.html")
    page: str = template.module.card(Visitor(frozenset(actions)), found)  # type: ignore[attr-defined]  # the macro
    return page


def safeguards(
    *,
    released: bool = False,
    fault: CheckFault | None = None,
    told: bool = True,
    agreed: bool = True,
    theirs: CheckFault | None = None,
    query: str | None = None,
    earlier: tuple[EarlierRoundView, ...] = (),
) -> Safeguards:
    alarm = FishingAlarmView(
        submission_id=QUERY,
        asker="RS",
        hits=14,
        expected=1_400,
        raised_at=1_800_000_000,
        released_at=1_800_000_100 if released else None,
        released_by="p-0123456789ab" if released else None,
    )
    word = {"fault": fault, "told": told, "agreed": agreed, "their_fault": theirs}
    check = PairCheckView(submission_id=query, counterpart="SI", below=2, **word)
    spent = SpentView(
        origin="RS",
        input_class=InputClass.FULL,
        in_round=70,
        round_cap=1_000,
        in_day=70,
        day_cap=5_000,
        in_window=90,
        window_cap=9_000,
        window_days=30,
        window_rounds=2,
    )
    return Safeguards(
        round_id=ROUND,
        spent=(spent,),
        earlier_rounds=earlier,
        earlier_sentence="",
        held_back=3,
        frequency_limit=8,
        alarms=(alarm,),
        checks=(check,),
    )


def test_a_party_that_declares_far_more_is_told_of() -> None:
    warning = Sentence.of("declares_far_more", party="RS", input_class="coarse", expected=24_000, got=48_000)
    page = card(safeguards().model_copy(update={"warnings": (SentenceView.of(warning),)}))
    assert "RS declares 48000 coarse elements" in page
    assert page.index("48000 coarse") < page.index("Earlier rounds between")
    assert "48000" not in card(safeguards())


def test_what_each_party_could_find_by_names_is_said() -> None:
    """By its coarse elements alone; of a party that has declared none yet nothing is said."""
    [full] = safeguards().spent
    coarse = full.model_copy(update={"input_class": InputClass.COARSE, "round_cap": 3_400})
    silent = coarse.model_copy(update={"origin": "SI", "round_cap": 0})
    page = card(safeguards().model_copy(update={"spent": (full, coarse, silent)}))
    assert "With the 3,400 coarse elements that it declares" in page
    assert "RS</abbr> and the matcher could find of a list's names: about 40 of 100." in page
    assert page.count("and the matcher could find") == 1
    assert "and the matcher could find" not in card(safeguards())


def test_a_held_answer_is_released_by_whoever_may() -> None:
    """The alarm says how many hits there are and how many the lists explain; its button is there for the role alone."""
    page = card(safeguards(), "alarms.release")
    assert "14 of your records are hit" in page
    assert "about 1." in page
    assert f'action="/rounds/{ROUND}/alarms/{QUERY}/release"' in page
    assert "<form" not in card(safeguards())


def test_a_released_answer_names_no_person() -> None:
    page = card(safeguards(released=True), "alarms.release")
    assert "<form" not in page
    assert "p-0123456789ab" in page


def test_an_answer_is_refused_with_a_reason() -> None:
    """Purpose and case of the query stand beside the numbers; a refusal takes a reason."""
    justification = Justification(
        legal_basis="Art. 5", purpose="an attack", case_reference="AL-7", category="terrorism", officer="p-0123456789ab"
    )
    found = safeguards()
    waits = found.alarms[0].model_copy(update={"justification": justification, "asked_records": 32})
    page = card(found.model_copy(update={"alarms": (waits,)}), "alarms.release")
    for text in (
        "an attack",
        "AL-7",
        "Art. 5",
        "32",
        f'action="/rounds/{ROUND}/alarms/{QUERY}/refuse"',
        "reason-bbbbbbbb",
    ):
        assert text in page
    refused = {"refused_at": 1_800_000_100, "refused_by": "p-0123456789ab", "refused_because": "too wide"}
    page = card(found.model_copy(update={"alarms": (waits.model_copy(update=refused),)}), "alarms.release")
    assert "<form" not in page
    assert "too wide" in page


@pytest.mark.parametrize("query", [None, QUERY])
def test_a_check_says_of_what_it_is(query: str | None) -> None:
    """Of the lists or of a query, and of a query why nothing was checked."""
    page = card(safeguards(query=query))
    assert (f">Query {QUERY[:8]}</td>" in page, ">Lists</td>" in page) == (query is not None, query is None)
    page = card(safeguards(query=query, fault=CheckFault.EARLIER))
    assert "not checked: an earlier report is missing or was not whole" in page


def test_the_page_of_a_query_shows_its_own_checks() -> None:
    """There the table does not say of what it is, and its head has as many cells as its rows."""
    macro = environment_of("en").get_template("safeguards.html").module.left_out  # type: ignore[attr-defined]  # the macro
    page = macro(safeguards(query=QUERY).checks, of_one=True)
    assert "nothing found: checked by both sides" in page
    assert QUERY[:8] not in page
    assert page.count("<th") == page.count('scope="col"') + 1 + 1  # the head's cells, the row's, and thead
    assert page.count('scope="col"') == 3


def test_an_asker_reads_what_to_do() -> None:
    """Of each party its state and since when; of what is withheld also what follows, and no number."""
    macro = environment_of("en").get_template("safeguards.html").module.answers  # type: ignore[attr-defined]  # the macro
    states = (("AL", "on_hold"), ("RS", "refused"), ("SI", "answered"))
    answers = tuple(PartyAnswer(party=code, state=state, since=1_800_000_000) for code, state in states)
    page = macro(SimpleNamespace(kind="query", submission_id=QUERY, name="SI 2026-002", answers=answers))
    assert "SI 2026-002" in page
    assert "until one of its people decides" in page
    assert "is not a no-hit" in page
    assert page.count("by the channel that your law provides") == 2
    assert macro(SimpleNamespace(answers=())).strip() == ""


@pytest.mark.parametrize(
    ("found", "word"),
    [
        ({}, "nothing found: checked by both sides"),
        ({"told": False, "agreed": False}, "the other has not said yet"),
        ({"agreed": False}, "no: the other side found something else"),
        ({"agreed": False, "theirs": CheckFault.TAGS}, "no: the other side found something else"),
        ({"agreed": False, "theirs": CheckFault.EARLIER}, "the other side could not check it"),
        ({"fault": CheckFault.TAGS}, "no: hits were left out"),
        ({"fault": CheckFault.PAIRS}, "no: hits were left out"),
        ({"fault": CheckFault.LEVELS}, "no: too many pairs are called too weak"),
        ({"fault": CheckFault.COLUMNS}, "not checked: the matcher reported nothing"),
    ],
)
def test_what_was_checked_is_said(found: dict[str, Any], word: str) -> None:
    """By name of the pair, in words and not by colour alone; green only where both sides found the same."""
    page = card(safeguards(**found))
    assert word in page
    assert ("tag good" in page) is (not found)
    assert "Slovenia" in page or "SI" in page


def test_earlier_rounds_say_what_was_spent() -> None:
    """Round, date, who evaluated for whom, and how much of each class; with what two answers give when compared.

    More than five rounds are folded.
    """
    spent = EarlierSpent(evaluator="AL", origin="RS", full=4_321, partial=87, coarse=65)
    known = EarlierRoundView(round_id="d" * 32, came_at=1_800_000_000, spent=(spent,))
    untold = EarlierRoundView(round_id="e" * 32, came_at=None, spent=(spent,))
    page = card(safeguards(earlier=(known, untold)))
    assert f'href="/rounds/{"d" * 32}"' in page
    assert f'href="/rounds/{"e" * 32}"' not in page
    for text in ("Jan 2027", "not known here", "4,321", "87", "65", "can compare them"):
        assert text in page
    assert "Your node knows of none." in card(safeguards())
    assert "<details open><summary>Rounds: 2<" in page
    assert "<details><summary>Rounds: 6<" in card(safeguards(earlier=(known,) * 6))
