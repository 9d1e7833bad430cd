"""Messages by themselves and in their round."""

import json
from functools import cache

from aquila.crypto.keys import IdentityKey
from aquila.protocol.messages import ANNOUNCEMENTS, PARTY_STATEMENTS
from aquila.protocol.registry import MATCHER, RegisteredParty, Registry
from aquila.protocol.rounds.verified_round import Round
from tests.vectors.answers.given import GROUP, Given, Operation, raw
from tests.vectors.making.files import FOLDER

KINDS = {kind.payload_type: kind for kind in (*PARTY_STATEMENTS, *ANNOUNCEMENTS)}


def read(given: Given) -> None:
    KINDS[given["payload_type"]].from_payload(given["payload"].encode())


@cache
def the_round() -> Given:
    """Return what the file of the whole round shares."""
    found: Given = json.loads((FOLDER / "whole_round.json").read_text("utf-8"))["shared"]
    return found


def the_registry() -> Registry:
    keys = {holder: IdentityKey(raw(seed)).public for holder, seed in the_round()["identities"].items()}
    parties = {code: RegisteredParty(code, code, key) for code, key in keys.items() if code != MATCHER}
    return Registry(keys[MATCHER], parties)


def propose(given: Given) -> None:
    Round.from_manifest(the_registry(), GROUP, given["envelope"].encode())


def take(given: Given) -> None:
    shared, registry = the_round(), the_registry()
    first, *before = shared["statements"][: given["after"]]
    record = Round.from_manifest(registry, GROUP, first["envelope"].encode(), sees_everything=True)
    for one in before:
        record.accept(one["envelope"].encode())
    before_it = repr(record)
    try:
        record.accept(given["envelope"].encode(), now=given["time"])
    finally:
        assert repr(record) == before_it, "what is refused changes nothing"


OPERATIONS: dict[str, Operation] = {"read": read, "propose": propose, "take": take}
