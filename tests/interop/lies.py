"""What a foreign node is told that is not so, signed by the key of who would have to say it."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from aquila.crypto.envelope import sign_envelope
from aquila.crypto.keys import IdentityKey
from tests.interop.between import Change

_Statement: TypeAlias = dict[str, Any]
_BASE = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")
"""The base of ristretto255 (RFC 9496), which is an element like others."""


def _altered(keys: Mapping[str, IdentityKey], alter: Callable[[str, _Statement], str | None]) -> Change:
    """Return a change of the statements in feeds.

    Args:
        keys: By holder.
        alter: Given kind and content of a statement, changes the content and returns whose key signs it, or None.
    """

    def change(target: str, body: bytes) -> bytes:
        if not target.split("?", maxsplit=1)[0].endswith(("/events", "/rounds")):
            return body
        answer = json.loads(body)
        for event in _events(answer):
            if event.get("envelope"):
                event["envelope"] = _signed_anew(event["envelope"], keys, alter)
            event.pop("content", None)  # whoever wants the bytes asks for them
        return json.dumps(answer).encode()

    return change


def _events(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for feed in (answer, *(answer.get("feeds") or {}).values()):
        yield from feed.get("events", ())


def _signed_anew(envelope: str, keys: Mapping[str, IdentityKey], alter: Callable[[str, _Statement], str | None]) -> str:
    outer = json.loads(envelope)
    kind = outer["payloadType"].removeprefix("application/vnd.aquila.").removesuffix("+json")
    content = json.loads(base64.b64decode(outer["payload"]))
    signer = alter(kind, content)
    if signer is None:
        return envelope
    payload = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return sign_envelope(outer["payloadType"], payload, keys[signer]).decode()


def hit_left_out(keys: Mapping[str, IdentityKey], party: str, counterpart: str) -> Change:
    """Leave the first hit out of the matcher's report to a party of its list and a counterpart's."""

    def alter(kind: str, content: _Statement) -> str | None:
        if kind != "hits" or (content["party"], content["counterpart"]) != (party, counterpart):
            return None
        del content["hits"][0]
        return "matcher"

    return _altered(keys, alter)


def wrong_elements(keys: Mapping[str, IdentityKey], party: str, counterpart: str) -> Change:
    """Let a counterpart answer a party's chunks with other elements, whose digest it signs beside its old proof."""
    counted: dict[str, int] = {}

    def alter(kind: str, content: _Statement) -> str | None:
        if kind != "evaluation" or (content["party"], content["origin"]) != (counterpart, party):
            return None
        counted[f"/submissions/{content['submission_id']}/evaluations/{counterpart}/{content['index']}"] = content[
            "elements"
        ]
        content["output_digest"] = hashlib.sha256(_BASE * content["elements"]).hexdigest()
        return counterpart

    feeds = _altered(keys, alter)

    def change(target: str, body: bytes) -> bytes:
        number = next((number for path, number in counted.items() if target.endswith(path)), None)
        return feeds(target, body) if number is None else _BASE * number

    return change


def notes_that_do_not_open(keys: Mapping[str, IdentityKey], party: str, counterpart: str) -> Change:
    """Let a counterpart sign other bytes in place of the notes that it sealed for a party."""

    def alter(kind: str, content: _Statement) -> str | None:
        if kind != "notes" or (content["party"], content["to"]) != (counterpart, party):
            return None
        sealed = base64.b64decode(content["sealed"])
        content["sealed"] = base64.b64encode(sealed[:-1] + bytes([sealed[-1] ^ 1])).decode()
        return counterpart

    return _altered(keys, alter)


LIES = {
    "hit-left-out": hit_left_out,
    "wrong-elements": wrong_elements,
    "notes-that-do-not-open": notes_that_do_not_open,
}
"""By name; each takes the keys of all holders, the party that is lied to, and the counterpart that it is about."""
