"""A round by the `aquila` command alone, as an officer and the secretariat would play it; then one that is aborted."""

import json
from pathlib import Path

import pytest

from clients.sdk import Access, Connection, PeopleClient, find_home
from tests.support.commanded_rounds import propose, submit
from tests.support.process_world import PASSWORD, World, next_code, run

pytestmark = pytest.mark.e2e


def test_a_round_by_commands(world: World, files: dict[str, Path]) -> None:
    round_id = propose(world)
    submit(world, round_id, files)
    for node in world.nodes:
        hits = json.loads(world.run("round", "hits", round_id, "--home", str(node.home), "--json"))["hits"]
        assert {hit["record_id"].partition("-")[0] for hit in hits} == {node.name}
        assert hits[0]["record_id"] in world.run("round", "hits", round_id, "--home", str(node.home))
    world.run("round", "close", round_id, "--home", str(world.matcher.home))
    for service in world.services.values():
        world.run("round", "watch", round_id, "--until", "closed", "--home", str(service.home))
    world.until(lambda: not any(list((node.home / "keys").glob("*.key")) for node in world.nodes))


def test_people_by_commands(world: World, tmp_path: Path) -> None:
    home, person = str(world.matcher.home), tmp_path / "third"
    person.mkdir()
    made = json.loads(run("user", "add", "third", "--role", "auditor", "--home", home, "--json", person=person))
    assert "third" in run("user", "list", "--home", home, person=person)
    again = json.loads(run("user", "reset", "third", "--home", home, "--json", person=person))
    assert again["account"] == made["account"]
    assert again["code"] != made["code"]
    run("user", "roles", "third", "--role", "auditor", "--role", "secretariat", "--home", home, person=person)
    assert "the key in the home folder" in run("whoami", "--home", home, person=person)
    run("user", "deactivate", "third", "--home", home, person=person)
    run("user", "activate", "third", "--home", home, person=person)

    assert "secretariat" in world.run("whoami", "--home", home)
    secret = person / "secret"
    code = json.loads(run("user", "reset", "third", "--home", home, "--json", person=person))["code"]
    people, connection = _people(home)
    with connection:
        secret.touch(mode=0o600)
        secret.write_text(people.begin_enrolment("third", code).secret)
        shown = run("code", str(secret)).strip()
        people.confirm_enrolment("third", code, PASSWORD, shown)
    # The code was used up by the enrolment; a clock may be a step ahead, and its next code opens the door.
    typed = f"{PASSWORD}\n{next_code(secret.read_text())}\n"
    assert "third is signed in" in run("login", "third", "--home", home, person=person, typed=typed)
    assert "third" in run("--as", "third", "whoami", "--home", home, person=person)
    run("logout", "--home", home, person=person)
    assert "the key in the home folder" in run("whoami", "--home", home, person=person)


def _people(home: str) -> tuple[PeopleClient, Connection]:
    found = find_home(Path(home))
    connection = Connection(Access(found.service, found.url(), ""))
    return PeopleClient(connection), connection
