"""A round by the `aquila` command alone, as an officer and the secretariat would play it; then one that is aborted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from world import JUSTIFICATION, World, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.e2e

TERMS = ("--area", "terrorism", "--legal-basis", "PCC SEE", "--purpose", "prevention", "--category", "suspects")
WHY = (
    "--legal-basis", JUSTIFICATION["legal_basis"], "--purpose", JUSTIFICATION["purpose"],
    "--case", JUSTIFICATION["case_reference"], "--category", JUSTIFICATION["category"],
    "--officer", JUSTIFICATION["officer"],
)  # fmt: skip


def propose(world: World) -> str:
    """Propose a round of all parties by the command, and wait until each node lists it."""
    parties = [word for node in world.nodes for word in ("--party", node.name)]
    proposed = run("round", "propose", *parties, *TERMS, "--home", str(world.matcher.home), "--json")
    round_id = str(json.loads(proposed)["entry"]["round_id"])
    for node in world.nodes:
        world.until(lambda node=node: round_id in run("round", "list", "--home", str(node.home), "--json"))
        run("round", "consent", round_id, "--home", str(node.home))
    return round_id


def test_a_round_by_commands(world: World, files: dict[str, Path]) -> None:
    """Propose, consent, import, submit, watch, hits and close do what they say."""
    round_id = propose(world)
    for node in world.nodes:
        home = str(node.home)
        run("records", "import", str(files[node.name]), "--home", home)
        run("round", "watch", round_id, "--until", "open", "--home", home)
        run("round", "submit", round_id, *WHY, "--home", home)
    for service in world.services.values():
        run("round", "watch", round_id, "--home", str(service.home))
    for node in world.nodes:
        hits = json.loads(run("round", "hits", round_id, "--home", str(node.home), "--json"))["hits"]
        assert {hit["record_id"].partition("-")[0] for hit in hits} == {node.name}
        assert hits[0]["record_id"] in run("round", "hits", round_id, "--home", str(node.home))
    world.until(lambda: world.has_hits(round_id))
    run("round", "close", round_id, "--home", str(world.matcher.home))
    for service in world.services.values():
        run("round", "watch", round_id, "--until", "closed", "--home", str(service.home))
    world.until(lambda: not any(list((node.home / "keys").iterdir()) for node in world.nodes))


def test_a_party_aborts_by_command(world: World, files: dict[str, Path]) -> None:
    """A party that leaves ends the round for everyone, and every key is destroyed."""
    round_id = propose(world)
    leaver = world.nodes[0]
    run("round", "watch", round_id, "--until", "open", "--home", str(leaver.home))
    run("records", "import", str(files[leaver.name]), "--home", str(leaver.home))
    run("round", "submit", round_id, *WHY, "--home", str(leaver.home))
    run("round", "abort", round_id, "--reason", "wrong list", "--home", str(leaver.home))
    world.until(lambda: all(world.phase(service, round_id) == "aborted" for service in world.services.values()))
    world.until(lambda: not any(list((node.home / "keys").iterdir()) for node in world.nodes))
    assert not [path for node in world.nodes for path in (node.home / "chunks").rglob("*") if path.is_file()]
