"""Rounds among real processes by the `aquila` command alone, as officers and the secretariat play them."""

from collections.abc import Mapping
from pathlib import Path

from tests.support.process_world import JUSTIFICATION, World

TERMS = ("--area", "terrorism", "--legal-basis", "PCC SEE", "--purpose", "prevention", "--category", "suspects")
WHY = (
    "--legal-basis",
    JUSTIFICATION["legal_basis"],
    "--purpose",
    JUSTIFICATION["purpose"],
    "--case",
    JUSTIFICATION["case_reference"],
    "--category",
    JUSTIFICATION["category"],
)


def propose(world: World, *more: str) -> str:
    """Propose a round of all parties, wait until each node lists it, and let it consent; return its id."""
    parties = [word for node in world.nodes for word in ("--party", node.name)]
    asked = world.run_both("round", "propose", *parties, *TERMS, *more, home=world.matcher.home)
    round_id = str(asked["round_id"])
    for node in world.nodes:
        world.until(lambda node=node: round_id in world.run("round", "list", "--home", str(node.home), "--json"))
        world.run_both("round", "consent", round_id, home=node.home)
    return round_id


def submit(world: World, round_id: str, files: Mapping[str, Path]) -> None:
    """Import everybody's list and submit it, and wait until every service has the hits or knows that they are there."""
    for node in world.nodes:
        home = str(node.home)
        world.run("records", "import", str(files[node.name]), "--home", home)
        world.run("round", "watch", round_id, "--until", "open", "--home", home)
        world.run_both("round", "submit", round_id, *WHY, home=node.home)
    for service in world.services.values():
        world.run("round", "watch", round_id, "--home", str(service.home))
    world.until(lambda: world.has_hits(round_id))
