"""The demo's homes: those of a matcher and three nodes that know one another's keys, and their lists as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aquila.protocol.registry import MATCHER
from clients.cli.demo.population import Population
from clients.cli.services.parties import own_card
from clients.local_services.processes import free_ports
from clients.people.nationals import COUNTRIES
from clients.sdk import find_home
from clients.sdk.cards import Card, Cards
from services.kit.storage.files import write_secret
from services.matcher.storage.home import create as create_matcher
from services.node.storage.home import create as create_node

NAMES = {"AL": "Albania, State Police", "RS": "Serbia, Ministry of the Interior", "SI": "Slovenia, Policija"}
_POLL_SECONDS = 0.3  # between two looks of a service at what there is to do: a demo is watched


@dataclass(frozen=True, slots=True)
class DemoHomes:
    """Homes of the parties.

    Attributes:
        homes: The home folders by party code and `matcher`.
        cards: What each one gave the others.
    """

    homes: dict[str, Path]
    cards: tuple[Card, ...]

    def list_file(self, code: str) -> Path:
        """Return a party's list file, which is next to its home and not in it."""
        return self.homes[code].with_name(f"{code.lower()}.csv")


def make_homes(folder: Path, population: Population, *, practice: bool = False) -> DemoHomes:
    """Make the homes, exchange the cards, write the lists; as `matcher init`, `node init` and `party register` do.

    Args:
        folder: Where they go.
        population: The lists.
        practice: Whether pages and papers say that all persons are invented; the parties' names then do as well.
    """
    homes = {name: folder / name.lower() for name in (MATCHER, *COUNTRIES)}
    matcher_port, *ports = free_ports(1 + len(COUNTRIES))
    create_matcher(homes[MATCHER], port=matcher_port, driver_seconds=_POLL_SECONDS, practice=practice)
    for code, port in zip(COUNTRIES, ports, strict=True):
        url = f"http://127.0.0.1:{matcher_port}"
        name = f"PRACTICE {NAMES[code]}" if practice else NAMES[code]
        create_node(homes[code], code, name, url, port=port, poll_seconds=_POLL_SECONDS, practice=practice)
    cards = tuple(own_card(home) for home in homes.values())
    registry = Cards({card.code: card for card in cards}).text().encode()
    for home in homes.values():
        write_secret(find_home(home).registry, registry)
    demo_homes = DemoHomes(homes, cards)
    for code in COUNTRIES:
        write_secret(demo_homes.list_file(code), population.file(code))
    return demo_homes
