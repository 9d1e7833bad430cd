"""An entry, tree, proofs, checkpoints and cosignatures (PROTOCOL.md 10.1 to 10.5)."""

import base64
import hashlib
from typing import Any

from aquila.audit.entries import Entry, EntryKind
from aquila.crypto.keys import IdentityKey
from aquila.protocol.encoding import canonical
from aquila.protocol.log_entries import statement_entry
from aquila.protocol.messages import Evaluation, Manifest, Receipt, Submission
from tests.support.samples import SAMPLES
from tests.vectors.making import definition
from tests.vectors.making.theme import DIFFERS, Theme, octets

SEED, WITNESS, NOW = octets("identity of the matcher"), octets("identity of SI"), 1_800_000_000

ABOUT = """
Entries of statements, trees, inclusion and consistency, checkpoints of a matcher's log and a witness's cosignature.
"""
SOURCE = "own: hashlib and base64; Ed25519 of the `cryptography` package; entries by the product"
OPERATIONS = """
entry: payload type and payload (UTF-8) of a statement, the second at which it was taken, and the salt to its entry
    (UTF-8) and the hash of its leaf
read_entry: an entry (UTF-8): whether it is one in its one encoding
root: hashes of leaves to the head of their tree
inclusion: hash of a leaf, its place from 0, the tree's size and head, and a proof: whether it holds
consistency: sizes and heads of two trees, and a proof: whether the later one begins with the earlier one
checkpoint: holder, seed of its key, size and head to the origin and the signed note (UTF-8)
open_checkpoint: signed note (UTF-8), origin, and seed of the key: whether it is a checkpoint of this log
cosign: signed note, witness and seed of its key, and seconds to the note with the cosignature
cosigned: signed note, witness, and seed of its key to the seconds of its cosignature
grown: origin and seed of the log's key, the checkpoint seen last, and an update (the body of tlog-witness): whether
    the log only grew
two_persons: the entries of a log (UTF-8), round id and manifest digest: whether two persons wanted its proposal.
    The class is no refusal: such a log blames nobody, and a strict audit fails
content: what two persons approve, as it is stored and shown, to its digest
bundle: an entry bundle and how many entries it has to their contents (UTF-8)
path: a level, or `entries` or `statements`, a number and a width to the path of a tile or bundle
tiles: how many entries a log has, whose leaf at place i is the SHA-256 of 00 and i as 4 bytes, to the SHA-256 of the
    last tile of each level, by its path
"""


def make() -> Theme:
    theme = Theme("log", ABOUT, SOURCE, OPERATIONS)
    _entries(theme)
    leaves = [hashlib.sha256(b"\x00" + bytes([place])).digest() for place in range(7)]
    _proofs(theme, leaves)
    _checkpoints(theme, leaves)
    _growth(theme, leaves)
    _bundles(theme)
    _tiles(theme)
    _approvals(theme)
    return theme


def origin_of(kind: str, holder: str, seed: bytes) -> str:
    return f"aquila-{kind}/{holder}/{IdentityKey(seed).public.fingerprint[:16]}"


def line(name: str, algorithm: int, seed: bytes, signature: bytes) -> str:
    """A signature line of C2SP signed-note."""
    public = bytes.fromhex(IdentityKey(seed).public.hex)
    key_id = hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + public).digest()[:4]
    return f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n"


def checkpoint(holder: str, seed: bytes, size: int, root: bytes) -> str:
    """10.3."""
    origin = origin_of("log", holder, seed)
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    return f"{text}\n" + line(origin, 1, seed, IdentityKey(seed).sign(text.encode()))


def cosigned(note: str, holder: str, seed: bytes, now: int) -> str:
    """10.5."""
    text = note.split("\n\n", maxsplit=1)[0] + "\n"
    signature = now.to_bytes(8, "big") + IdentityKey(seed).sign(f"cosignature/v1\ntime {now}\n{text}".encode())
    return note + line(origin_of("witness", holder, seed), 4, seed, signature)


def _entries(theme: Theme) -> None:
    entry = b""
    for kind in (Submission, Evaluation, Receipt):
        payload, salt = canonical(SAMPLES[kind]), octets(f"salt of {kind.__name__}", 16)
        digest = hashlib.sha256(definition.pre_authentication(kind.payload_type, payload)).hexdigest()
        entry = statement_entry(kind.from_payload(payload), digest, NOW).salted(salt.hex()).content()
        given = {"payload_type": kind.payload_type, "payload": payload.decode(), "time": NOW, "salt": salt}
        gives = {"entry": entry.decode(), "leaf": definition.leaf_hash(entry)}
        theme.valid(f"entry_of_{kind.__name__.lower()}", "entry", "10.2", given, gives)
    text = entry.decode()
    theme.valid("entry", "read_entry", "10.1", {"entry": text})
    for name, changed in {
        "entry_with_blanks": text.replace(":", ": ", 1),
        "entry_without_a_member": text.replace('"person":null,', ""),
        "entry_with_another_member": text.replace('"person":null', '"name":"Ana","person":null'),
        "entry_of_an_unknown_kind": text.replace('"kind":"receipt"', '"kind":"gossip"'),
        "entry_with_a_negative_count": text.replace('"high":3', '"high":-3'),
        "entry_with_a_fraction": text.replace('"high":3', '"high":3.0'),
        "entry_with_free_text_as_id": text.replace('"of":"lists"', '"of":"Ana Novak"'),
        "entry_with_a_salt_of_15_bytes": text.replace(octets("salt of Receipt", 16).hex(), octets("salt", 15).hex()),
    }.items():
        assert changed != text, name
        theme.invalid(name, "read_entry", "10.1", {"entry": changed}, "audit")
    other = {"entry": text, "leaf": hashlib.sha256(entry).digest()}
    payload = canonical(SAMPLES[Receipt])
    given = {"payload_type": Receipt.payload_type, "payload": payload.decode(), "time": NOW}
    given |= {"salt": octets("salt of Receipt", 16)}
    theme.invalid("leaf_without_the_byte_before", "entry", "10.3", given, DIFFERS, gives=other)


def _proofs(theme: Theme, leaves: list[bytes]) -> None:
    for size in (1, 2, 3, 7):
        theme.valid(f"head_of_{size}", "root", "10.3", {"leaves": leaves[:size]}, definition.root(leaves[:size]))
    doubled = definition.root([*leaves[:3], leaves[2]])
    theme.invalid("head_of_three_with_the_last_twice", "root", "10.3", {"leaves": leaves[:3]}, DIFFERS, gives=doubled)
    root = definition.root(leaves)
    for place in (0, 4, 6):
        given = {"leaf": leaves[place], "index": place, "size": 7, "root": root}
        theme.valid(
            f"inclusion_of_{place}", "inclusion", "10.3", given | {"proof": definition.inclusion(place, leaves)}
        )
    proof = definition.inclusion(4, leaves)
    given = {"leaf": leaves[4], "index": 4, "size": 7, "root": root, "proof": proof}
    for name, changes in {
        "inclusion_of_another_leaf": {"leaf": leaves[5]},
        "inclusion_at_another_place": {"index": 5},
        "inclusion_beyond_the_end": {"index": 7},
        "inclusion_in_another_head": {"root": definition.root(leaves[:6])},
        "inclusion_in_a_tree_of_another_size": {"size": 5},
        "inclusion_with_a_hash_too_few": {"proof": proof[:-1]},
        "inclusion_with_a_hash_too_many": {"proof": [*proof, proof[-1]]},
        "inclusion_with_hashes_in_another_order": {"proof": proof[::-1]},
        "inclusion_with_a_hash_of_31_bytes": {"proof": [proof[0][:-1], *proof[1:]]},
    }.items():
        theme.invalid(name, "inclusion", "10.3", given | changes, "audit")
    for size in (1, 4, 5, 7):
        given = {"size1": size, "root1": definition.root(leaves[:size]), "size2": 7, "root2": root}
        proof = definition.consistency(size, leaves)
        theme.valid(f"consistency_from_{size}", "consistency", "10.3", given | {"proof": proof})
    proof = definition.consistency(5, leaves)
    given = {"size1": 5, "root1": definition.root(leaves[:5]), "size2": 7, "root2": root, "proof": proof}
    other = [*leaves[:4], leaves[5]]
    for name, changes in {
        "consistency_from_another_log": {"root1": definition.root(other)},
        "consistency_with_another_log": {"root2": definition.root([*leaves[:6], leaves[0]])},
        "consistency_from_a_larger_log": {"size1": 7, "size2": 5},
        "consistency_from_nothing": {"size1": 0},
        "consistency_with_a_hash_too_few": {"proof": proof[:-1]},
        "consistency_with_a_hash_too_many": {"proof": [*proof, proof[-1]]},
        "consistency_of_equal_sizes_with_a_proof": {"size1": 7, "root1": root},
    }.items():
        theme.invalid(name, "consistency", "10.3", given | changes, "audit")


def _checkpoints(theme: Theme, leaves: list[bytes]) -> None:
    root, origin = definition.root(leaves), origin_of("log", "matcher", SEED)
    note = checkpoint("matcher", SEED, 7, root)
    given: dict[str, Any] = {"holder": "matcher", "seed": SEED, "size": 7, "root": root}
    theme.valid("checkpoint", "checkpoint", "10.3.1", given, {"origin": origin, "note": note})
    opening = {"note": note, "origin": origin, "seed": SEED}
    theme.valid("checkpoint_opened", "open_checkpoint", "10.3.1", opening)
    by_another = checkpoint("matcher", WITNESS, 7, root)
    signature = note.split("\n\n")[1]
    for name, changed in {
        "checkpoint_of_another_size": note.replace("\n7\n", "\n8\n"),
        "checkpoint_of_another_head": note.replace(
            base64.b64encode(root).decode(), base64.b64encode(leaves[0]).decode()
        ),
        "checkpoint_with_a_size_with_zeros": note.replace("\n7\n", "\n07\n"),
        "checkpoint_with_an_extension_line": note.replace("\n\n", "\nmore\n\n", 1),
        "checkpoint_of_another_log": by_another,
        "checkpoint_without_a_signature": note.split("\n\n")[0] + "\n",
        "checkpoint_signed_by_another_key": note.split("\n\n")[0] + "\n\n" + by_another.split("\n\n")[1],
        "checkpoint_with_a_hyphen_for_the_dash": note.replace("\u2014", "-"),
        "checkpoint_with_carriage_returns": note.replace("\n", "\r\n"),
        "checkpoint_cut_within_the_signature": note[:-8] + "\n",
        "checkpoint_whose_size_is_signed_otherwise": checkpoint("matcher", SEED, 6, root).split("\n\n")[0]
        + "\n\n"
        + signature,
    }.items():
        assert changed != note, name
        theme.invalid(name, "open_checkpoint", "10.3.1", opening | {"note": changed}, "audit")
    witness = origin_of("witness", "SI", WITNESS)
    both = cosigned(note, "SI", WITNESS, NOW)
    given = {"note": note, "holder": "SI", "seed": WITNESS, "time": NOW}
    theme.valid("cosignature", "cosign", "10.3.1", given, {"witness": witness, "note": both})
    asked = {"note": both, "witness": witness, "seed": WITNESS}
    theme.valid("cosignature_opened", "cosigned", "10.3.1", asked, NOW)
    other = cosigned(checkpoint("matcher", SEED, 6, definition.root(leaves[:6])), "SI", WITNESS, NOW)
    last = both.rstrip("\n").split("\n")[-1]
    octets_ = bytearray(base64.b64decode(last.split(" ")[2]))
    later = bytes(octets_[:11] + bytes([octets_[11] ^ 1]) + octets_[12:])
    short = bytes(octets_[:-1])
    for name, changed in {
        "cosignature_of_another_checkpoint": note + other.rstrip("\n").split("\n")[-1] + "\n",
        "cosignature_with_another_time": note + f"\u2014 {witness} {base64.b64encode(later).decode()}\n",
        "cosignature_of_71_bytes": note + f"\u2014 {witness} {base64.b64encode(short).decode()}\n",
        "cosignature_of_a_text_without_its_time": note
        + line(witness, 4, WITNESS, bytes(8) + IdentityKey(WITNESS).sign((note.split("\n\n")[0] + "\n").encode())),
    }.items():
        theme.invalid(name, "cosigned", "10.3.1", asked | {"note": changed}, "audit")


def _growth(theme: Theme, leaves: list[bytes]) -> None:
    seen = checkpoint("matcher", SEED, 5, definition.root(leaves[:5]))
    newest = checkpoint("matcher", SEED, 7, definition.root(leaves))
    proof = "".join(base64.b64encode(one).decode() + "\n" for one in definition.consistency(5, leaves))
    update = f"old 5\n{proof}\n{newest}"
    given = {"origin": origin_of("log", "matcher", SEED), "seed": SEED, "seen": seen, "update": update}
    theme.valid("log_that_grew", "grown", "10.5", given)
    other = [*leaves[:4], leaves[0], leaves[1], leaves[2]]
    fork = checkpoint("matcher", SEED, 7, definition.root(other))
    twin = checkpoint("matcher", SEED, 5, definition.root(other[:5]))
    shrunk = checkpoint("matcher", SEED, 4, definition.root(leaves[:4]))
    for name, changed, kind in (
        ("log_with_another_beginning", f"old 5\n{proof}\n{fork}", "log-rewritten"),
        ("log_with_two_heads_of_one_size", f"old 5\n\n{twin}", "log-rewritten"),
        ("log_that_shrank", f"old 5\n\n{shrunk}", "log-rewritten"),
        ("update_from_another_size", update.replace("old 5", "old 4"), "audit"),
        ("update_without_old", update.replace("old 5\n", ""), "audit"),
        ("update_with_a_hash_of_31_bytes", update.replace(proof[:44], proof[4:44]), "audit"),
    ):
        theme.invalid(name, "grown", "10.5", given | {"update": changed}, kind)


def _bundles(theme: Theme) -> None:
    entries = ['{"a":1}', '{"b":2}']
    whole = b"".join(len(one).to_bytes(2, "big") + one.encode() for one in entries)
    theme.valid("bundle", "bundle", "10.4", {"bundle": whole, "entries": 2}, entries)
    for name, changed in {
        "bundle_with_an_entry_missing": whole[: 2 + len(entries[0])],
        "bundle_with_an_entry_too_many": whole + b"\x00\x00",
        "bundle_cut_within_an_entry": whole[:-1],
    }.items():
        theme.invalid(name, "bundle", "10.4", {"bundle": changed, "entries": 2}, "audit")


def _tiles(theme: Theme) -> None:
    """10.3.1: levels and paths of a log that one tile does not hold."""
    for of, number, width, path in (
        ("0", 0, 256, "tile/0/000"),
        ("0", 5, 70, "tile/0/005.p/70"),
        ("1", 1_067, 256, "tile/1/x001/067"),
        ("entries", 1_234_067, 1, "tile/entries/x001/x234/067.p/1"),
        ("statements", 999, 256, "tile/statements/999"),
    ):
        name = path.replace("/", "_").replace(".", "_")
        theme.valid(name, "path", "10.3.1", {"of": of, "number": number, "width": width}, path)
    for size in (256, 600, 70_000):
        leaves = [hashlib.sha256(bytes(1) + place.to_bytes(4, "big")).digest() for place in range(size)]
        found, level, hashes = dict[str, bytes](), 0, leaves
        while hashes:
            number = (len(hashes) - 1) // 256
            last = hashes[256 * number :]
            path = f"tile/{level}/{number:03}" + ("" if len(last) == 256 else f".p/{len(last)}")
            found[path] = hashlib.sha256(b"".join(last)).digest()
            whole = range(len(hashes) // 256)
            level, hashes = level + 1, [definition.root(hashes[256 * one : 256 * one + 256]) for one in whole]
        theme.valid(f"tiles_of_{size}", "tiles", "10.3.1", {"size": size}, found)
        if size == 600:
            cut = {path: digest for path, digest in found.items() if "tile/1" not in path}
            theme.invalid("tiles_of_600_without_a_second_level", "tiles", "10.3.1", {"size": size}, DIFFERS, gives=cut)


def _approvals(theme: Theme) -> None:
    """10.2.1."""
    manifest = SAMPLES[Manifest]
    digest = hashlib.sha256(definition.pre_authentication(Manifest.payload_type, canonical(manifest))).hexdigest()
    proposal = {"kind": "proposal", "round_id": manifest["round_id"], "manifest": manifest}
    abort = {"kind": "abort", "round_id": manifest["round_id"], "reason": "a party vanished"}
    seen = {"records": 3, "name": "list.csv"}
    submission = {
        "kind": "submission",
        "round_id": manifest["round_id"],
        "manifest_digest": digest,
        "submission_id": octets("submission id", 16).hex(),
        "submission_kind": "list",
        "justification": SAMPLES[Submission]["justification"],
    }
    salt = octets("salt of a list", 16).hex()
    hidden = hashlib.sha256(canonical({"import": seen, "salt": salt})).hexdigest()
    for name, content, summary in (
        ("proposal", proposal, proposal | {"manifest": digest}),
        ("abort", abort, abort),
        ("list", submission | {"import": seen, "salt": salt}, submission | {"import": hidden}),
    ):
        gives = hashlib.sha256(canonical(summary)).digest()
        theme.valid(f"content_of_a_{name}", "content", "10.2.1", {"content": content}, gives)
    whole = hashlib.sha256(canonical(proposal)).digest()
    theme.invalid("content_with_the_whole_manifest", "content", "10.2.1", {"content": proposal}, DIFFERS, gives=whole)
    unsalted = hashlib.sha256(canonical({"import": seen})).hexdigest()
    wrong = hashlib.sha256(canonical(submission | {"import": unsalted})).digest()
    given = {"content": submission | {"import": seen, "salt": salt}}
    theme.invalid("content_without_its_salt", "content", "10.2.1", given, DIFFERS, gives=wrong)
    _two_persons(theme, manifest["round_id"], digest)


def _two_persons(theme: Theme, round_id: str, digest: str) -> None:
    """10.6.1."""
    content = hashlib.sha256(canonical({"kind": "proposal", "round_id": round_id, "manifest": digest})).hexdigest()
    asks, approves = (f"p-{octets(name, 6).hex()}" for name in ("who asks", "who approves"))
    ids = {"approval": octets("approval", 16).hex(), "what": "proposal", "author": asks}

    def entries(*made: tuple[str, str], **changes: Any) -> list[str]:
        found = []
        for kind, person in made:
            fields: dict[str, Any] = {
                "ids": ids,
                "digests": {"content": content},
                "person": person,
                "role": "secretariat",
            }
            one = Entry.of(EntryKind(kind), NOW, "matcher", round=round_id, **(fields | changes))
            found.append(one.salted(octets(f"salt of {kind}", 16).hex()).content().decode())
        return found

    both = (("approval_requested", asks), ("approved", approves))
    given = {"round_id": round_id, "manifest_digest": digest}
    theme.valid("two_persons", "two_persons", "10.6.1", given | {"entries": entries(*both)})
    denied = (both[0], ("approval_denied", approves), both[1])
    for name, made in {
        "one_person_twice": entries(both[0], ("approved", asks)),
        "approval_without_a_request": entries(both[1]),
        "approval_after_a_denial": entries(*denied),
        "request_without_an_approval": entries(both[0]),
        "approval_of_another_content": entries(*both, digests={"content": "0" * 64}),
        "approval_by_another_author": entries(*both, ids=ids | {"author": approves}),
    }.items():
        theme.invalid(name, "two_persons", "10.6.1", given | {"entries": made}, "not_proven")
