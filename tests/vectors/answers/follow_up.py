"""Sealed follow-ups and the triangle."""

import base64

from aquila.followup.lifecycle import FollowUpState
from aquila.protocol.messages import FollowUp
from aquila.protocol.rounds.follow_ups import (
    FollowedHit,
    MetRules,
    ThirdParty,
    open_part,
    read_part,
    seal_part,
    write_part,
)
from aquila.protocol.shadow.triangles import is_closed
from aquila.records.rules import mask_of
from tests.vectors.answers.given import Given, Operation, RefusedError, raw
from tests.vectors.answers.shadow import key_of


def seal(given: Given) -> str:
    hits = [
        FollowedHit(
            one["hit_id"],
            FollowUpState(one["state"]),
            {party: ThirdParty(mask_of(told["rules"]), told["reference"]) for party, told in one["third"].items()},
        )
        for one in given["entries"]
    ]
    content = write_part(hits, given["hits"], given["third"])
    ways = given["sender"], given["receiver"]
    return seal_part(key_of(given), given["binding"], ways, given["part"], content, raw(given["nonce"])).hex()


def opened(given: Given) -> list[Given]:
    message = FollowUp.model_construct(
        binding=given["binding"],
        party=given["sender"],
        to=given["receiver"],
        part=given["part"],
        sealed=base64.b64encode(raw(given["sealed"])).decode(),
    )
    found = read_part(open_part(key_of(given), message), given["sender"], given["third"])
    return [
        {
            "hit_id": one.hit_id,
            "state": one.state.value,
            "third": {
                party: {"rules": rules_in(told.rules), "reference": told.reference} for party, told in one.third.items()
            },
        }
        for one in found
    ]


def told(given: Given) -> list[int]:
    rules = bytes(given["rules"])
    hit, other = (MetRules.of(rules, bytes(given[name])) for name in ("hit", "other"))
    return rules_in(hit.common(other))


def triangle(given: Given) -> None:
    sets, met = ([mask_of(rules) for rules in given[name]] for name in ("sets", "met"))
    if not is_closed(mask_of(given["told"]), mask_of(given["own"]), sets, met):
        raise RefusedError("contradicted")


def rules_in(mask: int) -> list[int]:
    return [number for number in range(1, 65) if mask >> number - 1 & 1]


OPERATIONS: dict[str, Operation] = {"seal": seal, "open": opened, "told": told, "triangle": triangle}
