"""Rounds as node and matcher both see them: the manifest that was stored, and the status of a party."""

import base64
import functools
import json
from typing import Any

from aquila.protocol.messages import Kind, Manifest
from aquila.protocol.rounds.verified_round import Round


def party_status(record: Round, party: str) -> dict[str, Any]:
    """Return the fields of a `PartyStatus`, for the view that is made of it."""
    return {
        "party": party,
        "takes_part": party in record.participants or not record.binding,
        "consented": party in record.consents,
        "listed": record.list_of(party) is not None,
        "queries": sum(one.party == party and one.kind is Kind.QUERY for one in record.submissions.values()),
    }


@functools.lru_cache(maxsize=256)
def manifest_in(envelope: bytes) -> Manifest:
    """Return the manifest in an envelope that this service signed, or verified before it was stored.

    The registry may lack the key of its signature by now; that hides nothing of it.
    """
    return Manifest.from_payload(base64.b64decode(json.loads(envelope)["payload"]))
