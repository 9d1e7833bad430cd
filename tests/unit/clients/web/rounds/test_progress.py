"""What a round's page says of time and of parties, and what it is told while somebody watches."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from aquila.audit.roles import Service
from aquila.interface.rounds import AnswerState, MatcherRoundView, NodeRoundView, PartyAnswer
from aquila.protocol.messages import Manifest
from clients.web.app.site import environment_of
from clients.web.i18n.languages import languages
from clients.web.rounds import progress
from tests.support.samples import SAMPLES
from tests.unit.clients.web.test_growth import english, visiting

CONSENT_BY, SUBMIT_BY, EVALUATE_BY, CLOSES_AT = 10_000, 20_000, 30_000, 40_000
WINDOW = {"consent_by": CONSENT_BY, "submit_by": SUBMIT_BY, "evaluate_by": EVALUATE_BY, "closes_at": CLOSES_AT}
NONE = {"done": 0, "of": 0}
STANDING = {"takes_part": True, "consented": True, "listed": True, "queries": 0}
AT_NODE = {
    "evaluated": {"done": 1, "of": 2},
    "tokens": {"done": 0, "of": 1},
    "has_hits": False,
    "awaited": "list",
    "since": 9_000,
}
AT_MATCHER = {
    "blinded": NONE,
    "evaluated": NONE,
    "tokens": NONE,
    "waits_for": [],
    "hits": None,
    "acknowledged": False,
    "closed": False,
}


def common(phase: str, parties: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a view of the matcher and one of a node both have."""
    manifest = SAMPLES[Manifest] | {"window": WINDOW}
    entry = {
        "round_id": manifest["round_id"],
        "phase": phase,
        "title": "x",
        "area": "x",
        "category": "y",
        "participants": ["AL", "RS"],
    }
    return {
        "entry": entry,
        "manifest": manifest,
        "manifest_digest": "0" * 64,
        "binding": None,
        "participants": ["AL", "RS"],
        "parties": parties,
    }


def at_node(phase: str = "open", **rs: Any) -> NodeRoundView:
    parties = [{"party": "AL"} | STANDING | AT_NODE, {"party": "RS"} | STANDING | AT_NODE | rs]
    own = {
        "consented": True,
        "submissions": [],
        "evaluated_for_others": NONE,
        "hits": None,
        "keys_present": True,
        "wishes": [],
        "problems": [],
    }
    return NodeRoundView.model_validate_json(json.dumps(common(phase, parties) | own))


def at_matcher(phase: str, pairs: Sequence[dict[str, Any]] = (), **rs: Any) -> MatcherRoundView:
    parties = [{"party": "AL"} | STANDING | AT_MATCHER, {"party": "RS"} | STANDING | AT_MATCHER | rs]
    own = {"hits_by_certainty": {}, "ending": None, "evidence": 0, "pairs": pairs}
    return MatcherRoundView.model_validate_json(json.dumps(common(phase, parties) | own))


@pytest.mark.parametrize("view", [at_node, at_matcher])
@pytest.mark.parametrize(
    ("phase", "listed", "now", "word", "end"),
    [
        ("proposed", False, 0, "consents", CONSENT_BY),
        ("open", False, SUBMIT_BY, "lists", SUBMIT_BY),
        ("open", False, SUBMIT_BY + 1, "evaluations", EVALUATE_BY),
        ("open", True, SUBMIT_BY - 5, "evaluations", EVALUATE_BY),
        ("open", True, EVALUATE_BY + 1, "ends", CLOSES_AT),
        ("matching", True, SUBMIT_BY, "ends", CLOSES_AT),
        ("reporting", True, CLOSES_AT + 9, "ends", CLOSES_AT),
    ],
)
def test_the_deadline_that_counts(view: Any, phase: str, *, listed: bool, now: int, word: str, end: int) -> None:
    """Lists and evaluations are due in one phase, one after the other, whosever page it is."""
    found = progress.deadline(view(phase, listed=listed), now)
    assert word in found.name
    assert found.left == max(0, end - now)


def test_nobody_waits_for_the_list_of_one_that_is_left_out() -> None:
    found = progress.deadline(at_node(listed=False, takes_part=False), 0)
    assert "evaluations" in found.name


@pytest.mark.parametrize("tag", ["en", "sq", "sr-Cyrl", "sr-Latn"])
def test_live_values_are_what_the_page_shows(tag: str) -> None:
    view, language = at_node("reporting", awaited="receipt", queries=3, has_hits=None), languages()[tag]
    values = progress.node_values(view, language)
    environment = environment_of(tag)
    words = {one.party: progress.words_of(one) for one in view.parties}
    page = environment.get_template("standing.html").module.card(view, words, queries=True)  # type: ignore[attr-defined]  # the macro
    page += environment.get_template("manifest.html").module.left(progress.deadline(view, CLOSES_AT + 1))  # type: ignore[attr-defined]  # the same
    texts = {name: text for name, text in values.items() if isinstance(text, str) and "for_others" not in name}
    assert len(texts) == 2 * 8 + 2
    for name, text in texts.items():
        assert f'data-value="{name}">{text}<' in page
    assert values["RS-evaluated"] == [1, 2]
    assert "%(" not in page


def test_the_time_that_is_left_is_among_the_live_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress.time, "time", lambda: SUBMIT_BY - 7_200)
    values = progress.matcher_values(at_matcher("open", listed=False), languages()["en"])
    assert (values["deadline"], values["left"]) == ("Time left for lists:", "2 hours")


def test_what_a_party_does_does_not_load_the_page_anew() -> None:
    """A form that is being filled in stays: what changes of parties is sent; one that is left out changes the page."""
    shape = progress.shape_of(at_node())
    assert progress.shape_of(at_node(listed=False, awaited="evaluations", evaluated=NONE)) == shape
    assert progress.shape_of(at_node(takes_part=False)) != shape
    assert progress.shape_of(at_matcher("open")) != progress.shape_of(at_matcher("open", acknowledged=True))


def pair(state: str, since: int | None = 9_000) -> dict[str, Any]:
    return {"left": "AL", "right": "RS", "state": state, "since": since}


async def test_the_state_of_each_pair_is_shown(matcher: Any) -> None:
    view = at_matcher("open", [pair("evaluations")])
    assert progress.shape_of(view) == progress.shape_of(at_matcher("open", [pair("evaluations", 9_001)]))
    assert progress.shape_of(view) != progress.shape_of(at_matcher("open", [pair("tokens")]))
    page = await matcher_page(matcher, view)
    newest = progress.matcher_values(view, languages()["en"])["AL-RS-since"]
    assert page.count("evaluations are awaited") == page.count(f'data-value="AL-RS-since">{newest}<') == 2


@pytest.mark.parametrize(("state", "awaits"), [("list", True), ("over", False)])
async def test_nothing_is_awaited_from_a_party_whose_pairs_are_over(matcher: Any, state: str, *, awaits: bool) -> None:
    page = await matcher_page(matcher, at_matcher("open", [pair(state, None)], listed=False))
    assert ("its list is awaited" in page) == ('RS-listed">not yet<' in page) == awaits
    assert ("its pairs are over" in page) == (">not compared in time<" in page) == (not awaits)


async def matcher_page(matcher: Any, view: MatcherRoundView) -> str:
    answers = {f"/v1/operator/rounds/{view.entry.round_id}": view.payload()}
    async with visiting(matcher, Service.MATCHER, "secretariat", answers) as browser:
        return await english(browser, f"/rounds/{view.entry.round_id}")


def test_a_list_that_some_have_answered_names_the_others() -> None:
    """Never as a no-hit; where nobody or everybody has answered nothing is to be told apart."""
    incomplete = environment_of("en").get_template("safeguards.html").module.incomplete  # type: ignore[attr-defined]  # the macro

    def of(*states: AnswerState) -> str:
        parties = zip(("AL", "RS", "SI"), states, strict=True)
        return str(incomplete([PartyAnswer(party=one, state=state, since=None) for one, state in parties])).strip()

    answered, awaited, never = AnswerState.ANSWERED, AnswerState.AWAITED, AnswerState.NEVER
    assert "Complete but for AL, SI: without an answer there is neither hit nor no-hit." in of(never, answered, awaited)
    assert of(answered, answered, answered) == of(awaited, awaited, never) == ""


@pytest.mark.parametrize("hits", [None, 0, 3])
async def test_exact_numbers_say_that_they_are(matcher: Any, hits: int | None) -> None:
    view, sentence = at_matcher("reporting", hits=hits), "exact and not for publication"
    page = await matcher_page(matcher, view)
    assert (sentence in page) == (hits is not None)
    assert ("lists and of queries together. A hit counts at both of its parties." in page) == (hits is not None)
