"""The page of one hit: whose record it is, why it is one, and each step, of which none is chosen beforehand."""

import re
from collections.abc import AsyncIterator
from html import unescape

import pytest

from aquila.audit.roles import Role, Service
from clients.web.wiring import front_of
from tests.support.node_steps import hit_with, round_with_hits
from tests.support.played_worlds import WorldAfter
from tests.support.web_world import Browser, endpoint, visitor_of

EMPTY_CHOICE = r'<select id="{}"[^>]*>\s*<option value="" selected>'


@pytest.fixture
async def opened(world_after: WorldAfter) -> AsyncIterator[tuple[Browser, str, str]]:
    world, _ = await world_after(round_with_hits)
    party_node = world.nodes["AL"]
    app = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    hit = await hit_with(party_node, "RS")
    path = f"/hits/{hit['round_id']}/{hit['hit_id']}"
    analyst = visitor_of(app, party_node, Role.ANALYST)
    await analyst.open(path)
    names = (hit["record"]["given_names"], hit["record"]["family_names"])
    yield analyst, path, f"{' '.join(word for name in names for word in name)}, {hit['record']['date_of_birth']}"
    await analyst.client.aclose()
    app.end()


async def test_it_is_named_for_the_record_and_draws_why(opened: tuple[Browser, str, str]) -> None:
    analyst, path, name = opened
    page = unescape(analyst.page)
    assert analyst.answer.status_code == 200
    assert re.search(rf"<title>(\(\d+\) )?{name}, RS - Hit - Aquila</title>", page)  # the bar's count goes before it
    assert f"<h1>{name}</h1>" in page
    picture = page.split("<svg")[1].split("</svg>")[0]
    for level in ("low", "medium", "high"):
        assert level in picture
    assert 'stroke-dasharray="' in picture
    assert '<div class="narrow-only">' in page  # the same as a table, for a narrow window
    folded = page.split("Details of the protocol</summary>")
    assert folded[0].endswith("<details><summary>")
    assert path.rsplit("/", 1)[1] in folded[1]
    assert path.rsplit("/", 1)[1] not in re.sub(r'(action|href|value)="[^"]*"', "", folded[0])


async def test_nothing_is_chosen_beforehand_and_a_closed_hit_is_reopened(opened: tuple[Browser, str, str]) -> None:
    """Neither decision nor channel nor outcome; reopening takes a reason, which stands in its history."""
    analyst, path, _ = opened
    assert re.findall(r'<button name="decision" value="([^"]+)"', analyst.page) == [
        "same",
        "not_the_same",
        "cannot_tell",
    ]
    await analyst.send(f"{path}/decide", decision="same")
    assert path not in str(analyst.answer.url)  # the next person comes by itself
    await analyst.open(path)
    assert re.search(EMPTY_CHOICE.format("channel"), analyst.page)
    await analyst.open(path)
    await analyst.send(f"{path}/follow-up", channel="siena", urgency="normal")
    await analyst.open(path)
    assert re.search(EMPTY_CHOICE.format("outcome"), analyst.page)
    await analyst.send(f"{path}/close", headers={"referer": str(analyst.answer.url)})
    assert analyst.answer.status_code == 422
    await analyst.open(path)
    await analyst.send(f"{path}/close", outcome="confirmed")
    await analyst.open(path)
    assert "Reopen this hit" in analyst.page
    await analyst.send(f"{path}/reopen", reopening="another reply came")
    page = await analyst.open(path)
    assert "another reply came" in page
    assert "Close this hit" in page
