"""Proposals on the pages: defaults, two steps, faults beside fields."""

from __future__ import annotations

from typing import Any

HOSTILE = "<script>alert(1)</script>"
TERMS = {
    "area": "counter-terrorism",
    "legal_basis": HOSTILE,
    "purpose": "find persons",
    "category": "fighters",
    "mode": "lists",
    "minimum_certainty": "low",
    "retention_days": "1095",
    "party": ["AL", "SI"],
}


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
    page = await officer.send("/rounds/new", **TERMS | {"frequency_limit": "9000", "category": "", "party": "SI"})
    assert officer.answer.status_code == 422
    assert 'id="frequency_limit-fault"' in page
    assert 'aria-describedby="category-fault category-why"' in page
    assert "Choose at least two parties." in page
    assert 'value="9000"' in page
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
