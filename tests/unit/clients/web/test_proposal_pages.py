"""Proposals and suggestions on the pages: defaults, two steps, faults beside fields, from one to the other."""

from __future__ import annotations

from typing import Any

from aquila.protocol.messages.suggestions import Suggestion
from services.matcher.rounds import suggestions

HOSTILE = "<script>alert(1)</script>"
TERMS = {
    "area": "counter-terrorism", "legal_basis": HOSTILE, "purpose": "find persons", "category": "fighters",
    "mode": "lists", "minimum_certainty": "low", "retention_days": "1095", "party": ["AL", "SI"],
}  # fmt: skip
SUGGESTED = "7" * 32


def context_of(matcher: Any) -> Any:
    """Return the parts of the matcher behind its pages."""
    return matcher.app._service.state.context


def suggest(matcher: Any, **changes: Any) -> None:
    """Let Albania's node suggest a round."""
    terms = {"participants": ("AL", "SI"), **{name: TERMS[name] for name in ("area", "purpose", "category")}}
    suggestion = Suggestion.model_validate(terms | {"legal_basis": HOSTILE} | changes)
    suggestions.accept_suggestion(context_of(matcher), "AL", SUGGESTED, suggestion.payload())


async def test_the_form_has_the_defaults(matcher: Any) -> None:
    """Deadlines in a stated zone, amounts and safeguards of the settings; the registry's parties and no others."""
    officer = await matcher.visitor("sec", "secretariat")
    page = await officer.open("/rounds/new")
    assert 'name="cap_full" type="number" value="200000"' in page
    assert 'name="padding_inputs" type="text" value="8 16 24 32"' in page
    assert page.count('type="datetime-local" value="2') == 4
    assert "zone of this service's clock" in page
    assert 'value="AL"' in page
    assert 'value="BG"' not in page


async def test_what_is_wrong_comes_back(matcher: Any) -> None:
    """Beside its field, with everything that was typed; nothing waits for a second person."""
    officer = await matcher.visitor("sec", "secretariat")
    await officer.open("/rounds/new")
    page = await officer.send("/rounds/new", **TERMS | {"canaries": "900", "category": "", "party": "SI"})
    assert officer.answer.status_code == 422
    assert 'id="canaries-fault"' in page
    assert 'aria-describedby="category-fault category-why"' in page
    assert "Choose at least two parties." in page
    assert 'value="900"' in page
    assert 'value="find persons"' in page
    assert HOSTILE not in officer.page
    assert "Nothing is waiting" in await officer.open("/")


async def test_what_the_service_refuses_comes_back(matcher: Any) -> None:
    """A moment that has passed stands beside its field; amounts that the disk cannot hold above the form."""
    officer = await matcher.visitor("sec", "secretariat")
    moments = dict.fromkeys(("consent_by", "submit_by", "evaluate_by", "closes_at"), "2020-01-01T00:00")
    await officer.open("/rounds/new")
    assert "This moment has passed." in await officer.send("/rounds/new", **TERMS | moments)
    large = {"cap_full": str(2**40), "cap_partial": "0"}
    page = await officer.send("/rounds/new", **TERMS | large)
    assert officer.answer.status_code == 422
    assert "The service says:" in page
    assert f'value="{2**40}"' in page


async def test_pairs_and_amounts_are_a_second_step(matcher: Any) -> None:
    """The pairs of the chosen parties, each chosen, and each party's amounts; then the proposal has them."""
    officer = await matcher.visitor("sec", "secretariat")
    await officer.open("/rounds/new")
    page = await officer.send("/rounds/new", step="each", **TERMS)
    assert 'name="pair" value="AL-SI" checked' in page
    assert 'name="cap-SI-full"' in page
    amounts = {f"cap-{party}-{kind}": "77" for party in ("AL", "SI") for kind in ("full", "partial")}
    page = await officer.send("/rounds/new", each=["AL", "SI"], pair="AL-SI", **amounts, **TERMS)
    assert "Waiting for approval." in page
    assert "77" in page
    assert "Canaries for each two lists" in page


async def test_a_suggestion_becomes_a_proposal(matcher: Any) -> None:
    """The first page tells of it, the form is filled with it, and a second officer's approval answers it."""
    first, second = await matcher.visitor("sec-1", "secretariat"), await matcher.visitor("sec-2", "secretariat")
    suggest(matcher)
    assert "AL suggests a round" in await first.open("/")
    page = await first.open(f"/rounds/suggestions/{SUGGESTED}")
    assert "find persons" in page
    assert HOSTILE not in first.page
    page = await first.open(f"/rounds/new?suggestion={SUGGESTED}")
    assert 'value="find persons"' in page
    assert 'value="AL" checked' in page
    await first.send("/rounds/new", suggestion_id=SUGGESTED, **TERMS)
    waiting = first.answer.url.path
    assert "AL suggests a round" in await second.open("/")
    await second.open(waiting)
    digest = second.page.split('name="digest" value="')[1][:64]
    await second.send(f"{waiting}/approve", digest=digest, read="yes")
    assert "suggests a round" not in await second.open("/")
    page = await second.open(f"/rounds/suggestions/{SUGGESTED}")
    assert "a round was proposed" in page
    assert "See the round" in await second.open("/rounds")


async def test_a_suggestion_is_set_aside(matcher: Any) -> None:
    """With a reason; an auditor reads it and has no button."""
    officer, auditor = await matcher.visitor("sec", "secretariat"), await matcher.visitor("aud", "auditor")
    suggest(matcher)
    await auditor.open(f"/rounds/suggestions/{SUGGESTED}")
    assert auditor.answer.status_code == 200
    assert "set-aside" not in auditor.page
    assert "suggests a round" not in await auditor.open("/")
    await officer.open(f"/rounds/suggestions/{SUGGESTED}")
    page = await officer.send(f"/rounds/suggestions/{SUGGESTED}/set-aside", reason=HOSTILE)
    assert "The suggestion is set aside." in page
    assert HOSTILE not in officer.page
    await officer.open("/rounds/suggestions/" + "0" * 32)
    assert officer.answer.status_code == 404
    await officer.open("/rounds/new?suggestion=x")
    assert officer.answer.status_code == 422


async def test_an_officer_suggests(node: Any) -> None:
    """The own party is chosen already; what is wrong comes back; what was sent is listed with its state."""
    officer, auditor = await node.visitor("ana", "officer"), await node.visitor("aud", "auditor")
    assert "Suggest a round" in await officer.open("/rounds")
    assert "Suggest a round" not in await auditor.open("/rounds")
    assert (await auditor.client.get("/rounds/suggest")).status_code == 403
    page = await officer.open("/rounds/suggest")
    assert 'value="SI" checked' in page
    page = await officer.send("/rounds/suggest", **TERMS | {"purpose": ""})
    assert officer.answer.status_code == 422
    assert 'id="purpose-fault"' in page
    assert 'value="fighters"' in page
    page = await officer.send("/rounds/suggest", **TERMS)
    assert "The suggestion goes to the secretariat." in page
    assert "is about to be sent" in page
    assert "counter-terrorism: fighters" in await auditor.open("/rounds")
    for _ in range(9):
        await officer.open("/rounds/suggest")
        await officer.send("/rounds/suggest", **TERMS)
    await officer.open("/rounds/suggest")
    assert "too many suggestions wait" in await officer.send("/rounds/suggest", **TERMS)
    assert officer.answer.status_code == 422
