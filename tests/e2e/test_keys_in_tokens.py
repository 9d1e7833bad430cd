"""A round among real processes: the identity keys of the matcher and of a node are in PKCS#11 tokens."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.loaded_program import LOADED, run
from tests.support.process_world import World, leaks, paired_hits, rehearsed_hits
from tests.support.soft_tokens import NEEDED, SoftToken, make_token, token_folder

__all__ = ["token_folder"]

pytestmark = [pytest.mark.e2e, NEEDED]


@pytest.fixture(scope="module")
def tokens(token_folder: Path) -> dict[str, SoftToken]:
    return {name: make_token(token_folder, f"a long PIN of {name} for a test") for name in ("matcher", "RS")}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, tokens: dict[str, SoftToken]) -> Iterator[World]:
    """A matcher and two nodes, made by commands, which put two of the three keys into their tokens."""
    identities = {name: one.address() for name, one in tokens.items()}
    made = World(tmp_path_factory.mktemp("stage"), program=LOADED, identities=identities, frugal=True)
    try:
        made.make(["AL", "RS"])
        yield made
    finally:
        made.stop()


def test_a_round_over_real_processes(
    stage: World, tokens: dict[str, SoftToken], files: dict[str, Path], tmp_path: Path
) -> None:
    """Both are killed in its middle and log in again; its hits are the rehearsal's, and no key or PIN is in a home."""
    lists = {code: files[code] for code in ("AL", "RS")}
    round_id = stage.propose()
    stage.consent(round_id)
    for node in stage.nodes:
        stage.submit(node, round_id, stage.import_list(node, lists[node.name]))
        for service in (stage.matcher, stage.services["RS"]):
            service.kill()
            service.start()
    stage.wait_for_hits(round_id)
    assert paired_hits(stage, round_id) == rehearsed_hits(lists, tmp_path)
    stage.close(round_id)
    for name, token in tokens.items():
        service = stage.services[name]
        found = json.loads(run(service.kind, "status", "--home", str(service.home), "--json"))
        assert [one["grade"] for one in found["checks"] if one["subject"] == "identity"] == ["ok"]
        assert (
            leaks(stage.files(service), {token.pin.read_bytes().strip(), b"PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw"}) == []
        )
        assert (service.home / "identity.pem").read_text("utf-8").startswith("pkcs11:")


def test_the_matcher_renews_its_key_within_its_token(stage: World, tokens: dict[str, SoftToken]) -> None:
    """The address of the new key is named at its machine, never in a call; it takes effect at the next start."""
    matcher, address = stage.matcher, tokens["matcher"].address("identity 2")
    words = ["matcher", "renew-identity", "--home", str(matcher.home)]
    run(*words, ends_with=1)  # it has to be said where the new key goes
    assert not (matcher.home / "identity.next.pem").exists()
    run("call", "post_registry", "--home", str(matcher.home))
    matcher.approve_registry()
    run(*words, "--identity", address)
    matcher.approve_registry()
    assert (matcher.home / "identity.next.pem").read_text("utf-8") == f"{address}\n"
    matcher.stop()
    matcher.start()
    assert (matcher.home / "identity.pem").read_text("utf-8") == f"{address}\n"
