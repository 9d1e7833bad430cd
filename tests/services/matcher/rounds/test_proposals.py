"""Proposals: what the settings fill in, and what is refused before a manifest is signed."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from aquila.protocol.messages import Manifest
from aquila.records import rules
from services.matcher.rounds.deadlines import lengths_of, window_after
from services.matcher.settings import RoundSettings
from tests.support.matcher_world import NOW, World

pytestmark = pytest.mark.postgresql_soak

PARTIES = ["AL", "RS", "SI"]
SHORT = {"participants": ["RS", "AL"], "area": "a", "legal_basis": "b", "purpose": "c", "category": "d"}


async def proposed(world: World, proposal: dict[str, Any]) -> dict[str, Any]:
    answer = await world.operate("POST", json=proposal)
    assert answer.status_code == 202, answer.text
    view: dict[str, Any] = (await world.operate("GET", f"/{answer.json()['round_id']}")).json()
    return view["manifest"]


async def test_what_a_short_proposal_gets(world: World) -> None:
    manifest = Manifest.model_validate(await proposed(world, SHORT), strict=False)
    defaults = RoundSettings()
    assert [p.party for p in manifest.participants] == ["AL", "RS"]
    assert manifest.pairs == (("AL", "RS"),)
    assert manifest.window == window_after(NOW, lengths_of(defaults.window), defaults.window.hour)
    assert manifest.caps_of("AL") == defaults.caps
    assert manifest.padding.inputs_per_record == defaults.padding_inputs
    assert manifest.rules.digest == world.table.digest


async def test_two_rounds_of_a_month_have_two_titles(world: World) -> None:
    """The title stands for a round everywhere; the next month begins anew."""
    month = f"{datetime.fromtimestamp(NOW, UTC):%Y-%m}"
    long = "x" * 80
    titles = [
        (await proposed(world, SHORT | {"category": category}))["title"] for category in ("d", "d", "d", long, long)
    ]
    assert titles[:3] == [f"{month} d", f"{month} d (2)", f"{month} d (3)"]
    assert titles[3:] == [f"{month} {long}"[:80], f"{month} {long}"[:76] + " (2)"]
    world.clock.time += 32 * 86_400
    assert (await proposed(world, SHORT))["title"].endswith(" d")


async def test_the_month_of_a_title_is_that_of_the_secretariat(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.clock.time = int(datetime(2027, 1, 31, 23, 30, tzinfo=UTC).timestamp())
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        assert (await proposed(world, SHORT))["title"] == "2027-02 d"
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_what_is_refused(world: World) -> None:
    for change, status in (
        ({"participants": ["AL", "XX"]}, 422),
        ({"participants": ["AL", "AL"]}, 422),
        ({"participants": ["AL"]}, 422),
        ({"rules": "../../etc/passwd"}, 422),
        ({"rules": "unknown"}, 422),
        ({"pairs": [["AL", "XX"]]}, 422),
        ({"caps": [{"party": "SI", "elements": {"full": 1, "partial": 1, "coarse": 1}}]}, 422),
        ({"caps": [{"party": "AL", "elements": {"full": 10**12, "partial": 1, "coarse": 1}}]}, 403),
        ({"window": {"consent_by": 2, "submit_by": 1, "evaluate_by": 3, "closes_at": 4}}, 422),
        ({"surprise": 1}, 422),
        ({"area": "a\nb"}, 422),
    ):
        answer = await world.operate("POST", json=SHORT | change)
        assert answer.status_code == status, answer.text
        assert (await world.operate("GET")).json()["rounds"] == []


async def test_a_rule_table_of_ones_own(worlds: Callable[..., World], tmp_path: Path) -> None:
    """The settings' file is proposed by its table's name, and the built-in ones stay."""
    source = Path(rules.__file__).parent / "tables" / "exact.toml"
    own = tmp_path / "own.toml"
    own.write_text(source.read_text().replace('name = "exact"', 'name = "own"', 1))
    world = worlds(rules=own)
    for name in ("own", "exact", "default"):
        assert (await proposed(world, SHORT | {"rules": name}))["rules"]["name"] == name


async def like(world: World) -> httpx.Response:
    return await world.operate("GET", "/../proposal-defaults", params={"like": world.round_id})


async def test_a_copy_of_an_earlier_round(three: World) -> None:
    """It has the terms of the earlier one, this month in its title, deadlines as long, and is proposed as it is."""
    caps = [{"party": party, "elements": {"full": at, "partial": at, "coarse": at}} for at, party in enumerate(PARTIES)]
    terms = {"participants": PARTIES, "pairs": [["AL", "RS"], ["RS", "SI"]], "caps": caps, "retention_days": 30}
    window = dict(zip(("consent_by", "submit_by", "evaluate_by", "closes_at"), range(NOW + 9, NOW + 13), strict=True))
    await three.propose(**SHORT | terms, title="2001-02 Fighters", window=window)
    before = (await three.operate("GET", f"/{three.round_id}")).json()["manifest"]
    three.clock.time += 100
    draft = (await like(three)).json()["draft"]
    assert draft["title"] == f"{datetime.fromtimestamp(NOW, UTC):%Y-%m} Fighters"
    manifest = await proposed(three, draft)
    assert manifest["window"] == {name: at + 100 for name, at in window.items()}
    changed = {"round_id", "title", "window"}
    assert {key: value for key, value in manifest.items() if key not in changed} == {
        key: value for key, value in before.items() if key not in changed
    }


async def test_a_copy_without_a_party_that_has_left(worlds: Callable[..., World]) -> None:
    """Nor is a party in it whose only pair was with one that has left."""
    four = worlds("AL ME RS SI")
    await four.propose(**SHORT | {"participants": ["AL", "ME", *PARTIES[1:]], "pairs": [["AL", "RS"], ["ME", "SI"]]})
    parties = four.context.registry.parties
    four.context.registry.parties = {**parties, "SI": replace(parties["SI"], left=True)}
    draft = (await like(four)).json()["draft"]
    assert (draft["participants"], draft["pairs"]) == (["AL", "RS"], [["AL", "RS"]])
    assert [one["party"] for one in draft["caps"]] == ["AL", "RS"]
    four.context.registry.parties = {**parties, **{code: replace(parties[code], left=True) for code in ("RS", "SI")}}
    answer = await like(four)
    assert answer.status_code == 422
    assert "RS, SI" in answer.text
