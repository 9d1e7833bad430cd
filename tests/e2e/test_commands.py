"""A round by the `aquila` command alone, as officers and the secretariat play it; then the people of a service."""

import json
from pathlib import Path
from typing import Any

import pytest

from clients.sdk import Access, Connection, PeopleClient, find_home
from tests.support.process_world import JUSTIFICATION, PASSWORD, World, next_code, run

pytestmark = pytest.mark.e2e

TERMS = ("area=terrorism", "legal_basis=PCC SEE", "purpose=prevention", "category=suspects")
WHY = [f"justification.{name}={text}" for name, text in JUSTIFICATION.items()]


def test_a_round_by_commands(world: World, files: dict[str, Path]) -> None:
    parties = [f"participants={node.name}" for node in world.nodes]
    round_id = str(world.call_both("post_round", *parties, *TERMS, home=world.matcher.home)["round_id"])
    for node in world.nodes:
        world.until(lambda node=node: world.knows(node, round_id))
        world.call_both("ask_consent", f"round_id={round_id}", home=node.home)
    for node in world.nodes:
        world.call("import_records", "name=list", f"body=@{files[node.name]}", home=node.home)
        world.until(lambda node=node: world.is_open(node, round_id))
        world.call_both("ask_submission", "round_id=latest", "import_id=latest", "kind=list", *WHY, home=node.home)
    world.wait_for_hits(round_id)
    for node in world.nodes:
        hits = world.call("get_round_hits", f"round_id={round_id[:8]}", home=node.home)["hits"]
        assert {hit["record_id"].partition("-")[0] for hit in hits} == {node.name}
    world.call("post_close", f"round_id={round_id}", home=world.matcher.home)
    world.until(lambda: world.is_closed(round_id))
    world.until(lambda: not any(list((node.home / "keys").glob("*.key")) for node in world.nodes))


def test_people_by_commands(world: World, tmp_path: Path) -> None:
    home, person = str(world.matcher.home), tmp_path / "third"
    person.mkdir()

    def call(*words: str) -> dict[str, Any]:
        return json.loads(run("call", *words, "--home", home, person=person))

    made = call("post_account", "login=third", "roles=auditor")
    assert "third" in {one["login"] for one in call("get_accounts")["accounts"]}
    again = call("post_reset", "person=third")
    assert again["account"] == made["account"]
    assert again["code"] != made["code"]
    call("put_roles", "person=third", "roles=auditor", "roles=secretariat")
    assert "the key in the home folder" in run("whoami", "--home", home, person=person)
    call("post_deactivate", "person=third")
    call("post_activate", "person=third")

    assert "secretariat" in world.run("whoami", "--home", home)
    secret = person / "secret"
    code = call("post_reset", "person=third")["code"]
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
