"""An exported log of a whole round, made once, and one who forges it: with files alone, or with the matcher's key."""

import io
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aquila.audit.checkpoint import Checkpoint, cosign, parse_note
from aquila.audit.entries import Entry, read_entry
from aquila.audit.merkle import (
    bundle_path,
    bundles_of,
    leaf_hash,
    read_bundle,
    read_statements,
    statements_path,
    tile_path,
    tree_root,
    write_bundle,
    write_statements,
)
from aquila.audit.statistics import statistics_of
from aquila.crypto.envelope import open_envelope, sign_envelope
from aquila.crypto.group import Group
from aquila.crypto.keys import IdentityKey
from aquila.protocol.auditing import UnprovenClaim, audit_rounds, read_log
from aquila.protocol.log_entries import REFUSED, refused_entry, statement_entry
from aquila.protocol.messages import (
    ANNOUNCEMENTS,
    PARTY_STATEMENTS,
    Consent,
    ConsentReference,
    LogHead,
    Manifest,
    Message,
    Opening,
    Statement,
)
from aquila.protocol.registry import Registry, read_registry
from aquila.protocol.rounds.rules import binding_of
from tests.support.clock import Clock
from tests.support.node_world import HEADER, World, make_world

CODES = ("AL", "RS", "SI")
MESSAGES: dict[str, type[Message]] = {kind.payload_type: kind for kind in (Manifest, *PARTY_STATEMENTS, *ANNOUNCEMENTS)}
NOW = 1_800_000_000


@dataclass
class Exported:
    """A log's files by name, the registry, and the keys of everyone: a test may be any of them."""

    files: dict[str, bytes]
    registry: Registry
    keys: dict[str, IdentityKey]
    contents: list[bytes] = field(default_factory=list)
    envelopes: list[bytes] = field(default_factory=list)
    holder: str = "matcher"

    def __post_init__(self) -> None:
        size = int(self.files["checkpoint"].split(b"\n")[1])
        ((_, width),) = bundles_of(size)
        self.contents = read_bundle(self.files[bundle_path(0, width)], width)
        self.envelopes = read_statements(self.files[statements_path(0, width)], width)

    def copy(self) -> "Exported":
        return Exported(dict(self.files), self.registry, self.keys)

    @property
    def size(self) -> int:
        """How many entries the log has."""
        return len(self.contents)

    def index(self, kind: str, number: int = 0) -> int:
        """Return the place of the entries of a kind, by their order."""
        return [place for place, content in enumerate(self.contents) if f'"kind":"{kind}"'.encode() in content][number]

    def entry(self, index: int) -> Entry:
        return read_entry(self.contents[index])

    def put(self, name: str, change: bytes) -> None:
        """Replace a file."""
        assert name in self.files
        self.files[name] = change

    def tile(self) -> str:
        return tile_path(0, 0, len(self.contents))

    def bundle(self) -> str:
        return bundle_path(0, len(self.contents))

    def said(self) -> str:
        """Return the name of the one bundle of statements."""
        return statements_path(0, len(self.contents))

    def change(self, index: int, **fields: object) -> None:
        self.contents[index] = self.entry(index).model_copy(update=fields).content()

    def drop(self, index: int) -> None:
        """Leave an entry out, with its statement."""
        del self.contents[index], self.envelopes[index]

    def move(self, index: int, before: int) -> None:
        """Move an entry to an earlier place, with its statement."""
        self.contents.insert(before, self.contents.pop(index))
        self.envelopes.insert(before, self.envelopes.pop(index))

    def leave_out(self, *indices: int) -> None:
        """Leave entries out, with their statements."""
        for index in sorted(indices, reverse=True):
            self.drop(index)

    def all_of(self, kind: str) -> list[int]:
        return [place for place, content in enumerate(self.contents) if f'"kind":"{kind}"'.encode() in content]

    def leaf(self, index: int) -> bytes:
        return leaf_hash(self.contents[index])

    def append(self, entry: Entry) -> None:
        """Add an entry at the end, about no statement."""
        self.contents.append(entry.content())
        self.envelopes.append(b"")

    def statements_of(self, party: str) -> list[int]:
        return [place for place, said in enumerate(self.envelopes) if said and self.entry(place).party == party]

    def sign(self, message: Message, at: int) -> int:
        """Let a party say something, which the matcher enters at the end; return its place."""
        key = self.keys[getattr(message, "party", "matcher")]
        envelope = sign_envelope(message.payload_type, message.payload(), key)
        opened = open_envelope(envelope, [message.payload_type], {key.public.fingerprint: key.public})
        self.append(statement_entry(message, opened.digest, at))
        self.envelopes[-1] = envelope
        return len(self.contents) - 1

    def message(self, index: int) -> Message:
        """Return the statement that an entry is about."""
        keys = {key.public.fingerprint: key.public for key in self.keys.values()}
        opened = open_envelope(self.envelopes[index], list(MESSAGES), keys, limit=1 << 30)
        return MESSAGES[opened.payload_type].from_payload(opened.payload)

    def say(self, index: int, **changes: object) -> None:
        """Let whoever signed a statement have signed another one in its place."""
        entry, message = self.entry(index), self.message(index).model_copy(update=changes)
        key = self.keys[getattr(message, "party", "matcher")]
        self.envelopes[index] = sign_envelope(message.payload_type, message.payload(), key)
        keys = {key.public.fingerprint: key.public}
        digest = open_envelope(self.envelopes[index], list(MESSAGES), keys, limit=1 << 30).digest
        made = statement_entry(message, digest, entry.time)
        if entry.kind in REFUSED and isinstance(message, Statement):
            made = refused_entry(message, digest, entry.time, entry.kind)
        self.contents[index] = made.salted(entry.salt).content()

    def name_anew(self) -> None:
        """Let everyone have signed what it signed with heads of the log as it is now, and the binding that follows."""
        consents: list[tuple[str, str]] = []
        binding, manifest = "", ""
        for place in range(self.size):
            message = self.message(place) if self.envelopes[place] else None
            changes: dict[str, object] = {}
            if isinstance(message, Statement) and message.log_head is not None:
                size = min(message.log_head.size, place)
                root = tree_root([self.leaf(index) for index in range(size)]).hex()
                changes["log_head"] = LogHead(size=size, root=root)
            if isinstance(message, Opening):
                binding = binding_of(manifest, sorted(consents))
                named = tuple(ConsentReference(party=party, digest=digest) for party, digest in sorted(consents))
                changes |= {"consents": named, "binding": binding}
            elif binding and hasattr(message, "binding"):
                changes["binding"] = binding
            if changes:
                self.say(place, **changes)
            if isinstance(message, Manifest):
                manifest = self.entry(place).digests["statement"]
            if isinstance(message, Consent):
                consents.append((message.party, self.entry(place).digests["statement"]))

    def write_bundles(self) -> None:
        """Write the bundles as they are now, under the tree that is there."""
        self.files[self.bundle()] = write_bundle(self.contents)
        self.files[self.said()] = write_statements(self.envelopes)

    def sign_anew(
        self,
        *,
        witnesses: Sequence[str] | None = None,
        statistics: bool = True,
        seen: Sequence[tuple[int, int]] = (),
        leaves: Mapping[int, bytes] | None = None,
    ) -> None:
        """Write the whole log anew, as one can who holds the matcher's key, and those of the witnesses named.

        Args:
            witnesses: The parties that cosign; by default all of them.
            statistics: Whether to publish statistics that agree with the entries.
            leaves: Leaves of erased entries that are not where they were in the files.
            seen: Sizes that witnesses saw, each with its time; by default the whole log, after its last entry.
        """
        erased = dict(enumerate(self.leaf_of)) | dict(leaves or {})
        hashes = [leaf_hash(content) if content else erased[place] for place, content in enumerate(self.contents)]
        kept = {
            name: content for name, content in self.files.items() if name.startswith(("registry", "statistics", "seen"))
        }
        by = [name for name in self.keys if name != "matcher"] if witnesses is None else witnesses
        newest = max(NOW, *(self.entry(place).time for place, content in enumerate(self.contents) if content))
        cosigned = dict(seen or [(len(hashes), newest)])
        notes = {}
        for size in sorted({*cosigned, len(hashes)}):
            notes[size] = Checkpoint(self.origin, size, tree_root(hashes[:size])).sign(self.keys[self.holder])
            for code in by if size in cosigned else ():
                key = self.keys[code]
                notes[size] = cosign(notes[size], self.registry.witness_of(code), key, cosigned[size])
        self.files = (
            kept
            | {f"checkpoints/{size}": note.to_bytes() for size, note in notes.items()}
            | {
                "checkpoint": notes[len(hashes)].to_bytes(),
                "checkpoints/index": "".join(f"{size}\n" for size in notes).encode(),
                self.tile(): b"".join(hashes),
            }
        )
        self.write_bundles()
        if statistics:
            entries = [self.entry(place) for place, content in enumerate(self.contents) if content]
            for name in [name for name in self.files if name.startswith("statistics/")]:
                round_id = name.removeprefix("statistics/").removesuffix(".json")
                found = statistics_of(round_id, [entry for entry in entries if entry.round == round_id])
                self.files[name] = found.to_bytes()

    def cosign_at(self, index: int, code: str) -> None:
        """Let a witness have seen the log without an entry, and not since."""
        size = str(index)
        note = Checkpoint(self.origin, index, tree_root(self.leaf_of[:index])).sign(self.keys[self.holder])
        sizes = {*self.files["checkpoints/index"].decode().split(), size}
        self.files["checkpoints/index"] = "".join(f"{one}\n" for one in sorted(sizes, key=int)).encode()
        self.files[f"checkpoints/{size}"] = note.to_bytes()
        self.cosign(index, code, NOW)

    def cosign(self, size: int, code: str, at: int) -> None:
        """Let one more witness cosign a checkpoint that is no newest one."""
        note = parse_note(self.files[f"checkpoints/{size}"])
        key = self.keys[code]
        self.files[f"checkpoints/{size}"] = cosign(note, self.registry.witness_of(code), key, at).to_bytes()

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.files["checkpoint"].split(b"\n")[0].decode()

    @property
    def leaf_of(self) -> list[bytes]:
        """The leaves of the tree as it is in the files."""
        (name,) = (name for name in self.files if name.startswith("tile/0/"))
        return [self.files[name][start : start + 32] for start in range(0, len(self.files[name]), 32)]


def verify(log: Exported, group: Group) -> list[UnprovenClaim]:
    """Check a log as the command does, and return what it does not prove."""
    record = read_log(log.files.get, log.registry)
    rounds = audit_rounds(record, log.files.get, log.registry, group)
    return [*record.unproven, *(found for audit in rounds for found in audit.unproven)]


def exported(path: Path, holder: str) -> Exported:
    with tarfile.open(fileobj=io.BytesIO((path / f"{holder}.tar").read_bytes())) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]  # files alone are in it
    registry = read_registry((path / "matcher" / "registry.toml").read_bytes())
    homes = [path / name for name in ("matcher", *CODES) if (path / name).exists()]
    keys = {home.name: IdentityKey.from_pem((home / "identity.pem").read_bytes()) for home in homes}
    return Exported(files, registry, keys)


async def play(path: Path) -> None:
    """Play a round of lists with a query to its end, and export the logs of the matcher and of every node."""
    world = make_world(path, Clock(NOW))
    round_id = await world.begin(mode="lists_and_queries")
    await world.settle()
    asker = world.nodes["AL"]
    asked = await asker.load(HEADER + "q-1,Mira,Janković,1988-08-08,\n", "query")
    answer = await asker.submit(round_id, asked, "query")
    assert answer.status_code == 202, answer.text
    await world.settle()
    await world.operator.post(f"/v1/operator/rounds/{round_id}/close")
    await world.settle()
    assert await world.phase(round_id) == "closed"
    await _export(world, path)
    await world.close()


async def _export(world: World, path: Path) -> None:
    answer = await world.operator.get("/v1/operator/log/export")
    assert answer.status_code == 200, answer.text
    (path / "matcher.tar").write_bytes(answer.content)
    for code, party_node in world.nodes.items():
        answer = await party_node.operator.get("/v1/log/export")
        assert answer.status_code == 200, answer.text
        (path / f"{code}.tar").write_bytes(answer.content)
    answer = await world.nodes["SI"].operator.get("/v1/log/matcher")
    assert answer.status_code == 200, answer.text
    (path / "matcher-for-SI.tar").write_bytes(answer.content)
