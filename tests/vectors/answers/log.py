"""Entries, trees, checkpoints and witnesses."""

import hashlib

from aquila.audit.checkpoint import (
    Checkpoint,
    check_growth,
    cosign,
    cosigned_at,
    log_name,
    open_checkpoint,
    parse_note,
    parse_update,
    witness_name,
)
from aquila.audit.entries import read_entry
from aquila.audit.merkle import (
    TILE_WIDTH,
    bundle_path,
    read_bundle,
    statements_path,
    tile_path,
    tiles_of,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from aquila.crypto.envelope import digest_of_payload
from aquila.crypto.keys import IdentityKey
from aquila.errors import AuditError
from aquila.protocol.approvals import TwoPersons, content_digest
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.messages import PARTY_STATEMENTS
from tests.vectors.answers.given import Given, Operation, RefusedError, raw

KINDS = {kind.payload_type: kind for kind in PARTY_STATEMENTS}


def entry(given: Given) -> Given:
    kind, payload = KINDS[given["payload_type"]], given["payload"].encode()
    digest = digest_of_payload(kind.payload_type, payload)
    made = statement_entry(kind.from_payload(payload), digest, given["time"]).salted(given["salt"])
    return {"entry": made.content().decode(), "leaf": made.leaf().hex()}


def read(given: Given) -> None:
    read_entry(given["entry"].encode())


def inclusion(given: Given) -> None:
    proof = list(map(raw, given["proof"]))
    verify_inclusion(raw(given["leaf"]), given["index"], given["size"], raw(given["root"]), proof)


def consistency(given: Given) -> None:
    sizes, roots = (given["size1"], given["size2"]), (raw(given["root1"]), raw(given["root2"]))
    verify_consistency(*sizes, *roots, list(map(raw, given["proof"])))


def checkpoint(given: Given) -> Given:
    key = IdentityKey(raw(given["seed"]))
    origin = log_name(given["holder"], key.public)
    note = Checkpoint(origin, given["size"], raw(given["root"])).sign(key)
    return {"origin": origin, "note": note.to_bytes().decode()}


def opened(given: Given) -> None:
    open_checkpoint(given["note"].encode(), given["origin"], IdentityKey(raw(given["seed"])).public)


def cosignature(given: Given) -> Given:
    key = IdentityKey(raw(given["seed"]))
    witness = witness_name(given["holder"], key.public)
    return {
        "witness": witness,
        "note": cosign(parse_note(given["note"].encode()), witness, key, given["time"]).to_bytes().decode(),
    }


def cosigned(given: Given) -> int:
    found = cosigned_at(parse_note(given["note"].encode()), given["witness"], IdentityKey(raw(given["seed"])).public)
    if found is None:
        raise AuditError("checkpoint_not_signed_by_log", origin=given["witness"])
    return found


def grown(given: Given) -> None:
    key, origin = IdentityKey(raw(given["seed"])).public, given["origin"]
    update = parse_update(given["update"].encode())
    seen, _ = open_checkpoint(given["seen"].encode(), origin, key)
    got, _ = open_checkpoint(update.note.to_bytes(), origin, key)
    check_growth(seen, got, update)


def two_persons(given: Given) -> None:
    entries = [read_entry(one.encode()) for one in given["entries"]]
    if TwoPersons(enumerate(entries)).proposal(given["round_id"], given["manifest_digest"], len(entries)):
        raise RefusedError("not_proven")


def path(given: Given) -> str:
    of, place = given["of"], (given["number"], given["width"])
    if of.isdigit():
        return tile_path(int(of), *place)
    return bundle_path(*place) if of == "entries" else statements_path(*place)


def tiles(given: Given) -> dict[str, str]:
    found, before, hashes, current = dict[str, str](), list[bytes](), list[bytes](), 0
    leaves = [hashlib.sha256(bytes(1) + place.to_bytes(4, "big")).digest() for place in range(given["size"])]
    for level, number, width in tiles_of(given["size"]):
        if level != current:
            before, hashes, current = hashes, [], level
        places = range(number * TILE_WIDTH, number * TILE_WIDTH + width)
        tile = [
            leaves[one] if level == 0 else tree_root(before[one * TILE_WIDTH : one * TILE_WIDTH + TILE_WIDTH])
            for one in places
        ]
        hashes += tile
        found = {name: digest for name, digest in found.items() if not name.startswith(f"tile/{level}/")}
        found[tile_path(level, number, width)] = hashlib.sha256(b"".join(tile)).hexdigest()
    return found


OPERATIONS: dict[str, Operation] = {
    "entry": entry,
    "read_entry": read,
    "root": lambda given: tree_root(map(raw, given["leaves"])).hex(),
    "inclusion": inclusion,
    "consistency": consistency,
    "checkpoint": checkpoint,
    "open_checkpoint": opened,
    "cosign": cosignature,
    "cosigned": cosigned,
    "grown": grown,
    "two_persons": two_persons,
    "content": lambda given: content_digest(given["content"]),
    "path": path,
    "tiles": tiles,
    "bundle": lambda given: [one.decode() for one in read_bundle(raw(given["bundle"]), given["entries"])],
}
