"""Templates of rounds: stated by the matcher, accepted by the parties, and what a round that names one needs."""

from dataclasses import replace
from json import dumps
from typing import Any

from aquila.protocol.messages import Manifest
from aquila.protocol.messages.manifest import TemplateReference
from services.kit.approvals.requests import content_of
from services.kit.approvals.tables import ApprovalRow
from services.matcher.rounds.proposals import stated_templates
from services.matcher.storage.tables import ListCountRow
from services.node.hits.notes import keep_note, note_of
from services.node.records.queries import standing_queries
from services.node.storage.tables import ExchangeRow
from tests.support.ceremony import REGISTRY, accept
from tests.support.node_world import World
from tests.support.sample_templates import TEMPLATES_FILE
from tests.support.samples import SAMPLES

RENAMED = TEMPLATES_FILE.replace(b'title = "Foreign terrorist fighters"', b'title = "Fighters"')


async def state(world: World, content: bytes = TEMPLATES_FILE) -> int:
    answer = await world.operator.post(f"{REGISTRY}/templates", json={"content": content.decode()})
    return answer.status_code


async def draft(world: World, **like: str) -> dict[str, Any]:
    found: dict[str, Any] = (await world.operator.get("/v1/operator/proposal-defaults", params=like)).json()["draft"]
    return found


async def obstacles(world: World, round_id: str) -> dict[str, list[str]]:
    """Return by party what stands against its consent."""
    views = {code: await node.get(f"/rounds/{round_id}") for code, node in world.nodes.items()}
    return {code: [one["code"] for one in view["problems"]] for code, view in views.items()}


async def test_a_round_from_a_template(world: World) -> None:
    """A party consents to it once its registry has the template; the next version needs another registry."""
    assert await state(world) == 202
    assert await state(world) == 409
    accepted, late = world.nodes["AL"], world.nodes["RS"]
    await accept(accepted)
    found = await draft(world, template="foreign-fighters")
    assert found["title"].endswith(" Foreign terrorist fighters")
    assert (found["participants"], found["purpose"]) == (
        sorted(world.nodes),
        "find foreign terrorist fighters who are known to more than one party",
    )
    round_id = await world.propose(**found)
    assert await obstacles(world, round_id) == {
        "AL": [],
        "RS": ["round_template_unknown"],
        "SI": ["round_template_unknown"],
    }
    view = await accepted.get(f"/rounds/{round_id}")
    assert "sq" in [one["language"] for one in view["template"]["wordings"]]
    known = (await accepted.get("/categories"))["categories"]
    assert [one["code"] for one in known] == ["border-queries", "foreign-fighters", "organised-crime"]
    assert known[1]["wordings"]["sq"] == "luftëtarë të huaj terroristë"
    assert (await late.get("/categories"))["categories"] == []
    assert (await world.operator.get(f"{REGISTRY}/categories")).json()["categories"] == known
    # It also needs the table of indicators that the template names: by this one notes tell codes.
    record, manifest = {"indicators": ["F1", "T1", "travel"]}, Manifest.model_validate_json(dumps(view["manifest"]))
    assert note_of(accepted.node, manifest, record, "AL-0A1B-2C3D-4E5F", "d" * 64).indicators == ("T1", "F1")
    ours, accepted.node.indicators = accepted.node.indicators, replace(accepted.node.indicators, digest="d" * 64)
    assert note_of(accepted.node, manifest, record, "AL-0A1B-2C3D-4E5F", "d" * 64).indicators is None
    assert "table of indicators" in (await accepted.post(f"/rounds/{round_id}/consent")).text
    accepted.node.indicators = ours
    # What a counterpart tells in a round that names no table is not taken.
    told, row = note_of(accepted.node, manifest, record, "AL-0A1B-2C3D-4E5F", "d" * 64), ExchangeRow()
    for names, kept in ((manifest, ["T1", "F1"]), (manifest.model_copy(update={"indicators": None}), None)):
        keep_note(row, told, (), names)
        assert (row.note or {}).get("indicators") == kept
    assert (await accepted.post(f"/rounds/{round_id}/consent")).status_code == 202
    assert (await late.post(f"/rounds/{round_id}/consent")).status_code == 403
    await accept(late)
    assert (await late.post(f"/rounds/{round_id}/consent")).status_code == 202
    await world.settle()
    # The registry keeps the template until the round is over, and a restart keeps it at the node.
    assert await state(world, RENAMED) == 403
    late.restart()
    assert late.node.templates == accepted.node.templates == stated_templates(world.app.state.context)


async def test_what_differs_from_its_template_is_not_proposed(world: World) -> None:
    assert (await world.operator.get("/v1/operator/proposal-defaults?template=organised-crime")).status_code == 404
    assert await state(world) == 202
    found = await draft(world, template="organised-crime")
    for changes, status in (
        ({"purpose": "another one"}, 403),
        ({"template": {"template_id": "organised-crime", "version": 2}}, 403),
        ({"template": {"template_id": "Organised crime", "version": 1}}, 422),
    ):
        answer = await world.operator.post("/v1/operator/rounds", json=found | changes)
        assert answer.status_code == status, answer.text


async def test_a_version_that_was_left_out_does_not_return_with_other_content(world: World) -> None:
    """The second person reads which templates are new and which are left out."""
    first, second, *_ = TEMPLATES_FILE.decode().split("[[template]]")[1:]
    for content, new, gone in (
        (first, ["foreign-fighters"], []),
        (second, ["organised-crime"], ["foreign-fighters"]),
        (first, ["foreign-fighters"], ["organised-crime"]),
        (second, ["organised-crime"], ["foreign-fighters"]),
    ):
        answer = await world.operator.post(f"{REGISTRY}/templates", json={"content": f"[[template]]{content}"})
        with world.app.state.context.store.reading("test.approval") as session:
            changes = content_of(session.get_one(ApprovalRow, answer.json()["approval_id"]))["changes"]
        assert [[one["template_id"] for one in changes[key]] for key in ("new_templates", "gone_templates")] == [
            new,
            gone,
        ]
    assert await state(world, RENAMED) == 403


async def test_caps_follow_from_the_last_lists(world: World) -> None:
    """A cap tells of a party's last list of the kind the next of 1, 2, 5, 10, ..., and of other lists nothing."""
    assert await state(world) == 202
    first = await draft(world, template="foreign-fighters")
    assert {one["elements"]["full"] for one in first["caps"]} == {2_000 * 10}
    round_id = await world.propose(**first)
    without = await world.propose(**first | {"template": None})
    other = await world.propose(**await draft(world, template="organised-crime"))
    context = world.app.state.context
    with context.store.transaction("test.lists") as session:
        for number, (of, party, records) in enumerate(
            (
                (round_id, "AL", 300_000),
                (without, "AL", 41_200),
                (round_id, "RS", 38_700),
                (other, "RS", 900),
                (other, "SI", 900),
            )
        ):
            row = {"round_id": of, "submission_id": f"{number:032x}", "party": party, "kind": "list"}
            session.add(ListCountRow(**row, records=records, matched_at=number))
    after = await draft(world, template="foreign-fighters")
    assert {one["party"]: one["elements"]["full"] for one in after["caps"]} == {
        "AL": 100_000 * 10,
        "RS": 50_000 * 10,
        "SI": 2_000 * 10,
    }
    copied = await draft(world, like=round_id)
    assert copied["template"] == {"template_id": "foreign-fighters", "version": 1}
    assert copied["caps"] == first["caps"]


def test_a_standing_query_hangs_on_the_template() -> None:
    """The same words by themselves are other terms than those of a template, and the other way round."""
    manifest = Manifest.model_validate_json(dumps(SAMPLES[Manifest]))
    template = TemplateReference(template_id="border-queries", version=1, digest="0" * 64)
    templates = (template, template.model_copy(update={"version": 2}), None)
    named, newer, free = (
        standing_queries.terms_of("AL", manifest.model_copy(update={"template": one})) for one in templates
    )
    assert named == newer != free
    assert named == free.model_copy(update={"template": "border-queries"})
