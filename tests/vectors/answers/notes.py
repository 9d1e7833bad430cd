"""Notes: keys, marks, batches and what a receiver finds."""

import base64
from types import SimpleNamespace
from typing import Any, cast

from aquila.crypto.keys import IdentityKey, SealingKey
from aquila.crypto.sealing import NoteKeys, NoteTerms, derive_marked, open_sealed
from aquila.protocol.encoding import digest, framed
from aquila.protocol.messages import Fault, HitReport, Notes
from aquila.protocol.party import Party, notes_context
from aquila.protocol.rounds import exchange
from aquila.protocol.rounds.hit_columns import held_tokens, hit_batches
from aquila.protocol.submissions.submission import FinalizedChunk
from aquila.records.rules import load_rules
from tests.vectors.answers.given import GROUP, Given, Operation, RefusedError, cut, raw


def prepared(given: Given) -> exchange.PreparedNotes:
    """Return what the receiver prepares of the hit."""
    report = HitReport.from_payload(given["report"].encode())
    # The tokens are those of the record that hit, but for a report that names one which is not there.
    handle = raw(report.hits[0].handle) if any(raw(report.hits[0].handle)) else b"\x01" * 16
    rows = b"".join(handle + bytes([one["rule"]]) + raw(one["token"]) for one in given["tokens"])
    chunk = FinalizedChunk(rows, raw("".join(one["secret"] for one in given["tokens"])))
    (batch,) = hit_batches([report], 1)
    held = held_tokens([raw(report.hits[0].handle)], [chunk])
    sizes = cast("tuple[int, int]", tuple(given["sizes"]))
    return exchange.prepare(sizes, load_rules("default"), report, batch.hits, held, bytes)


def verify(given: Given) -> str:
    entries = [(one["hit_id"], raw(one["sealed"])) for one in given["entries"]]
    found = exchange.verify_batch(prepared(given).openings, (), entries)
    for one in found.values():
        if isinstance(one, Fault):
            raise RefusedError(one.value)
    ((_, note),) = found.items()
    return cast("Any", note).model_dump_json()


def told(given: Given) -> Given:
    """Let a report of this hit be prepared: its opening names the digest; the others are those before it."""
    basis = given["basis"] | {"records": given["sizes"][0]}
    hit = {
        "hit_id": given["hit_id"],
        "handle": "01" * 16,
        "counterpart_handle": "02" * 16,
        "certainty": given["level"],
        "families": given["families"],
        "second": given["second"],
        "met": "00",
    }
    content = {
        "round_id": "0" * 32, "binding": "0" * 64, "party": "SI", "counterpart": "AL", "submission_id": None,
        "basis": basis, "below": [], "hits": [hit],
    }  # fmt: skip
    report = HitReport.model_validate(content)
    sizes = given["sizes"][1], given["sizes"][0]
    first = exchange._Ground.of(sizes, report).digest
    families = [one.encode() for one in given["families"]]
    grade = digest("aquila/2 grade", first, given["level"].encode(), bytes([given["second"]]), *families)
    one = {"rule": 1, "token": "03" * 16, "secret": "04" * 32}
    made = prepared({"report": report.payload().decode(), "sizes": sizes, "tokens": [one]})
    return {"basis": first.hex(), "grade": grade.hex(), "told": made.openings.told.hex()}


def keys(given: Given) -> Given:
    named = [given["sender"].encode(), given["receiver"].encode()]
    handles = [raw(given[name]) for name in ("sender_handle", "receiver_handle")]
    rules = bytes(one["rule"] for one in given["met"])
    info = framed("aquila/2 note", raw(given["binding"]), raw(given["hit_id"]), *named, *handles, rules)
    secrets = raw("".join(one["secret"] for one in given["met"]))
    (made,) = derive_marked(raw(given["binding"]), NoteTerms([secrets], [b""], ([info],)))
    return {"info": info.hex(), "seal": made.keys[:32].hex(), "mark": made.keys[32:].hex()}


def marks(given: Given) -> list[str]:
    return cut(NoteKeys(bytes(32), raw(given["mark"])).marks(raw("".join(given["tokens"]))), 5)


def seal(given: Given) -> str:
    """Seal one note as an entry; its marks are those given, so none is drawn."""
    marked = raw(given["marks"])
    count = len(marked) // 5
    openings: Any = SimpleNamespace(ids=bytes(16), tokens=bytes([count]))
    made = exchange.PreparedNotes(raw(given["seal"]) + bytes(32), marked, openings)
    drawn = iter([raw(given["nonce"]), bytes(len(marked))])
    (entry,) = exchange.seal_entries(made, [given["note"].encode()], count, lambda _size: next(drawn))
    return entry[16:].hex()


def batch(given: Given) -> Given:
    """What the vector sealed is opened by the product; nobody seals the same twice."""
    named = given["binding"], given["sender"], given["receiver"], None, given["number"]
    info, entries = notes_context(*named), given["entries"]
    opened = open_sealed(SealingKey(raw(given["receiver_seed"])), info, raw(given["batch"]))
    assert opened.hex() == "".join(one["hit_id"] + one["sealed"] for one in entries)
    return {"info": info.hex(), "sealed": given["batch"]}


def opened(given: Given) -> list[Given]:
    party = Party(given["receiver"], IdentityKey(bytes(32)), GROUP)
    notes: Any = SimpleNamespace(
        binding=given["binding"],
        party=given["sender"],
        submission_id=given.get("submission_id"),
        index=given["number"],
        hits=given["notes"],
        sealed=base64.b64encode(raw(given["batch"])).decode(),
    )
    found = party.open_notes(cast("Notes", notes), SealingKey(raw(given["sealing"])))
    return [{"hit_id": hit_id, "sealed": sealed.hex()} for hit_id, sealed in found]


OPERATIONS: dict[str, Operation] = {
    "told": told,
    "keys": keys,
    "marks": marks,
    "seal": seal,
    "batch": batch,
    "open": opened,
    "verify": verify,
}
