"""A round of three parties with a forbidden pair and a stopped node, and the matcher's log of it (PROTOCOL.md 3, 10).

The parties are those of a rehearsal; what they draw comes from one seed, and what they seal is sealed by `sealing`.
"""

import base64
import hashlib
import hmac
import json
from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from aquila.audit.checkpoint import Checkpoint, cosign
from aquila.audit.entries import Entry, EntryKind
from aquila.audit.merkle import bundle_path, statements_path, tile_path, write_bundle, write_statements
from aquila.audit.statistics import statistics_of
from aquila.crypto.envelope import digest_of_payload
from aquila.crypto.keys import SealingKey
from aquila.crypto.sealing import open_sealed
from aquila.followup.lifecycle import Ground
from aquila.matching.certainty import Level
from aquila.octets import parted
from aquila.protocol.approvals import content_digest
from aquila.protocol.log_entries import match_entry, statement_entry
from aquila.protocol.messages import (
    ClassCounts,
    HitReport,
    LevelOutcomes,
    Locks,
    LogHead,
    Message,
    Notes,
    Outcome,
    Padding,
    PairOutcomes,
    PartyCap,
    SealedLock,
)
from aquila.protocol.party import Party, RoundSecrets, notes_context
from aquila.protocol.registry import MATCHER, Registry
from aquila.protocol.rounds.verified_round import AcceptedStatement, Round
from aquila.records.rules import content_of, parse_rules
from tests.support.staged_round import NOW, WINDOW, StagedRound, person
from tests.vectors.making import definition, sealing
from tests.vectors.making.theme import Theme, group, octets

TABLE = """\
name = "small"
version = 1
expected_share = 0.5
[[shadow]]
longest = 10_000_000
sets = [[1], [2, 3]]
[families]
names = "names"
date = "date of birth"
[parts."all names"]
reads = "all:folded"
family = "names"
bits = 12.0
sentence = "all names agree"
[parts."date"]
reads = "birth:full"
family = "date"
bits = 14.0
sentence = "the date of birth agrees"
[parts."month"]
reads = "birth:year-month"
family = "date"
bits = 5.0
sentence = "year and month of birth agree"
[[rules]]
number = 1
name = "names and date"
input_class = "full"
parts = ["all names", "date"]
sentence = "Names and date agree."
[[rules]]
number = 2
name = "names and month"
input_class = "partial"
parts = ["all names", "month"]
sentence = "Names, year and month agree."
[[rules]]
number = 3
name = "names"
input_class = "coarse"
parts = ["all names"]
sentence = "Names agree."
"""

LISTS = {
    "AL": (person("al-1", "Besnik", "Hoxha", "1979-05-06"), person("al-2", "Drita", "Shehu", "1991-01-17")),
    "RS": (
        person("rs-1", "Ана", "Новак", "1980-03-04"),
        person("rs-2", "Besnik", "Hoxha", "1979-05-06"),
        person("rs-3", "Милош", "Јовановић", "1975-12-24"),
    ),
    "SI": (
        person("si-1", "Ana", "Novak", "1980-03-04"),
        person("si-2", "Miloš", "Jovanović", "1975-12-25"),
        person("si-3", "Besnik", "Hoxha", "1979-05-06"),
        person("si-4", "Irena", "Kos", "1993-07-21"),
    ),
}
AWAY, PAIR = "AL", ("RS", "SI")

ABOUT = """
A round of lists of three parties. AL and SI may not be compared. AL stops once it has signed its list: its pair
with RS has no tokens, and the round is closed without it when its time is over. All secrets are given, and all that
the matcher saw.
"""
SOURCE = """
the parties of a rehearsal by the product, over the definitions of the other files; locks and notes sealed as
`locks.json` says
"""
OPERATIONS = """
replay: the registry and all statements in their order, each with the second at which it came, and of those that go
    to some parties alone these, to the phase, the binding, the participants and the hits of each pair by level
phases: nothing to the phase of the matcher's record after each statement
submission: a party to the blinded elements of its chunks
evaluation: evaluator, submission and chunk to the evaluated elements
column: party and counterpart to its rows, and number and SHA-256 of the tags of its shadow column
hits: a party and its counterpart to its hits: record, level and rules that met
notes: sender and receiver to the notes that the receiver opened, by hit id
"""


class RepeatablePart(Party):
    """A party whose sealed bytes are the same each time: their randomness is named after what is sealed."""

    __slots__ = ()

    def locks(self, round_: Round, sequence: int, secrets: RoundSecrets) -> bytes:
        halves = []
        for other in sorted(round_.counterparts_of(self.code)):
            info = definition.framed("aquila/2 lock", round_.binding_bytes, self.code.encode(), other.encode())
            label = definition.framed("aquila/2 lock half", round_.binding_bytes, self.code.encode(), other.encode())
            half = hmac.digest(secrets.lock.to_bytes(), label, "sha512")[:32]
            public = bytes.fromhex(round_.consents[other].sealing_key)
            sealed = sealing.seal(public, info, half, octets(f"lock of {self.code} for {other}", 64))
            halves.append(SealedLock(counterpart=other, sealed=sealed.hex()))
        return self._signed(Locks(**self._bound(round_, sequence), halves=tuple(halves)))

    def notes(
        self, round_: Round, sequence: int, to: str, submission_id: str | None, index: int, entries: Sequence[bytes]
    ) -> bytes:
        info = notes_context(round_.binding, self.code, to, submission_id, index)
        public = bytes.fromhex(round_.consents[to].sealing_key)
        sealed = sealing.seal(public, info, b"".join(entries), octets(f"notes of {self.code} for {to}", 64))
        return self._signed(
            Notes(
                **self._bound(round_, sequence),
                to=to,
                submission_id=submission_id,
                index=index,
                hits=len(entries),
                sealed=base64.b64encode(sealed).decode(),
            )
        )


@dataclass
class WrittenLog:
    """The matcher's log, as it grows: entries and the statements that they are about."""

    contents: list[bytes] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    envelopes: list[bytes] = field(default_factory=list)

    def add(self, entry: Entry, envelope: bytes = b"") -> None:
        salted = entry.salted(octets(f"salt {len(self.entries)}", 16).hex())
        self.entries.append(salted)
        self.contents.append(salted.content())
        self.envelopes.append(envelope)

    def leaves(self, size: int) -> list[bytes]:
        return [definition.leaf_hash(one) for one in self.contents[:size]]

    def head(self) -> LogHead:
        size = len(self.contents)
        return LogHead(size=size, root=definition.root(self.leaves(size)).hex())


class WholeRound(StagedRound):
    """The round, and the log of it."""

    def __init__(self, directory: Path) -> None:
        self.log = WrittenLog()
        self.said: list[dict[str, Any]] = []
        terms = {"padding": Padding(inputs_per_record=(3,), records_multiple=4), "chunk_elements": 8}
        most = ClassCounts(full=12, partial=12, coarse=12)
        changes = {"pairs": (("AL", "RS"), PAIR), "caps": tuple(PartyCap(party=code, elements=most) for code in LISTS)}
        super().__init__(group(), directory, LISTS, rules=parse_rules(TABLE), seed=35, changes=changes, **terms)
        for code, node in self.nodes.items():
            node.party = RepeatablePart(code, node.party.identity, self.group, self.log.head)
        self._approve()
        digest = digest_of_payload(self.manifest.payload_type, self.manifest.payload())
        self._enter(self.manifest, digest, self.manifest_envelope, None)

    def _approve(self) -> None:
        """Let two persons of the secretariat want the proposal (10.2.1)."""
        content = {"kind": "proposal", "round_id": self.manifest.round_id}
        whole = content | {"manifest": self.manifest.model_dump(mode="json")}
        author = f"p-{octets('who asks', 6).hex()}"
        ids = {"approval": octets("approval", 16).hex(), "what": "proposal", "author": author}
        fields = {"round": self.manifest.round_id, "ids": ids, "digests": {"content": content_digest(whole)}}
        for kind, who in (
            (EntryKind.APPROVAL_REQUESTED, author),
            (EntryKind.APPROVED, f"p-{octets('second', 6).hex()}"),
        ):
            self.log.add(Entry.of(kind, NOW - 60, MATCHER, person=who, role="secretariat", **fields))

    def _enter(self, message: Message, digest: str, envelope: bytes, only: Collection[str] | None) -> None:
        is_kept = not isinstance(message, HitReport | Notes)
        self.log.add(statement_entry(message, digest, self.now), envelope if is_kept else b"")
        self.said.append({"time": self.now, "envelope": envelope.decode()} | ({"to": sorted(only)} if only else {}))

    def publish(self, envelope: bytes, only: Collection[str] | None = None) -> AcceptedStatement:
        accepted = super().publish(envelope, only)
        self._enter(accepted.message, accepted.digest, envelope, only)
        return accepted

    def play(self) -> Self:
        """Play the round to its end."""
        self.locked()
        self.submit_lists(list(self.nodes.values()))
        self.secrets = {code: _secrets_of(self, code) for code in self.nodes}
        for origin in (self.nodes[code] for code in PAIR):
            for index in range(len(origin.chunks)):
                self.evaluate_chunk(origin, index, *(self.nodes[code] for code in PAIR))
        away = self.nodes[AWAY]
        self.for_away = list(
            self.evaluate_chunks([(away, index) for index in range(len(away.chunks))], [self.nodes["RS"]])
        )
        for own, other in (PAIR, PAIR[::-1]):
            self.finalize(self.nodes[own], other)
        self._report()
        self.now = WINDOW.evaluate_by + 1
        self._enter_ending()
        return self

    def _report(self) -> None:
        lists = [self.round.list_of(party) or "" for party in PAIR]
        pairs, reports = self.grade(lists)
        told = list(reports)
        counts = Counter(level.value for _, level, *_ in pairs)
        met = told[0].basis.met
        assert met is not None
        self.log.add(match_entry(self.manifest.round_id, self.now, *PAIR, None, counts, met.digest))
        self.hits = self._with_record_ids(pairs, lists)
        deque(self.tell_lists(iter(told)), maxlen=0)
        self.acknowledge({own: [other] for own, other in (PAIR, PAIR[::-1])})
        self.finalized = {
            (own, other): [(chunk.rows, chunk.secrets) for chunk in self.nodes[own].finalized(other)]
            for own, other in (PAIR, PAIR[::-1])
        }
        self.exchange_notes(iter([(self.nodes[own], self.nodes[own].told[other]) for own, other in (PAIR, PAIR[::-1])]))
        assert not self.refuted

    def _enter_ending(self) -> None:
        fields = {"round": self.manifest.round_id, "ids": {"what": "close"}, "role": "secretariat"}
        self.log.add(
            Entry.of(EntryKind.END_ASKED, self.now, MATCHER, person=f"p-{octets('who asks', 6).hex()}", **fields)
        )
        self.publish(self.matcher.end(self.round, Outcome.CLOSED, "its pairs are over", self.now))
        for code in PAIR:
            node = self.nodes[code]
            self.publish(node.party.close(node.round, node.next_sequence(), node.hits))
        self._follow_up()

    def _follow_up(self) -> None:
        """SI withdraws a hit, RS marks it, and SI tells what came of its hits (3.11)."""
        own, other = self.nodes["SI"], self.nodes["RS"]
        levels = {hit.hit_id: hit.certainty for hit in self.report("SI", "RS").hits}
        gone = min(levels)
        terms = own.round, own.next_sequence(), "RS", [gone], Ground.INCORRECT
        said = self.publish(own.party.withdraw(*terms), only=PAIR)
        self.publish(
            other.party.acknowledge(other.round, other.next_sequence(), said.digest, 1, erased=False), only=PAIR
        )
        assert set(levels.values()) == {Level.HIGH}
        counts = LevelOutcomes(certainty=Level.HIGH, confirmed=1, refuted=0, unresolved=0, withdrawn=1, open=1)
        outcomes = [PairOutcomes(counterpart="RS", levels=(counts,))]
        self.publish(own.party.report_outcomes(own.round, own.next_sequence(), outcomes), only={"SI"})

    def files(self) -> dict[str, bytes]:
        """Return the exported log: AL saw it last when it signed its list, RS and SI at the end."""
        size, key = len(self.log.contents), self.matcher.identity
        lists = [place for place, one in enumerate(self.log.entries) if one.kind is EntryKind.SUBMISSION]
        seen = {lists[-1] + 1: ("AL", "RS", "SI"), size: PAIR}
        notes = {}
        for at, witnesses in seen.items():
            root = definition.root(self.log.leaves(at))
            notes[at] = Checkpoint(self.registry.origin_of(MATCHER), at, root).sign(key)
            for code in witnesses:
                now = self.log.entries[at - 1].time + 1
                signer = self.nodes[code].party.identity
                notes[at] = cosign(notes[at], self.registry.witness_of(code), signer, now)
        pinned = {MATCHER: self.registry.matcher} | {code: one.key for code, one in self.registry.parties.items()}
        of_round = [one for one in self.log.entries if one.round == self.manifest.round_id]
        return {
            "checkpoint": notes[size].to_bytes(),
            "checkpoints/index": "".join(f"{at}\n" for at in seen).encode(),
            **{f"checkpoints/{at}": note.to_bytes() for at, note in notes.items()},
            "registry.json": json.dumps({holder: key.fingerprint for holder, key in pinned.items()}).encode(),
            f"statistics/{self.manifest.round_id}.json": statistics_of(self.manifest.round_id, of_round).to_bytes(),
            bundle_path(0, size): write_bundle(self.log.contents),
            tile_path(0, 0, size): b"".join(self.log.leaves(size)),
            statements_path(0, size): write_statements(self.log.envelopes),
        }


def _secrets_of(stage: StagedRound, code: str) -> dict[str, Any]:
    node = stage.nodes[code]
    assert node.secrets is not None
    assert node.seed is not None
    identity: Any = node.party.identity
    return {
        "identity": identity.to_bytes(),
        "shares": {kind.value: share.to_bytes() for kind, share in node.secrets.shares.items()},
        "lock": node.secrets.lock.to_bytes(),
        "sealing": node.secrets.sealing.to_bytes(),
        "submission_seed": node.seed.to_bytes(),
        "submission_id": node.submission_id,
        "list": [json.loads(record.to_json()) for record in LISTS[code]],
    }


@dataclass(frozen=True)
class Played:
    """What is left of the round when its files are gone."""

    said: list[dict[str, Any]]
    """Every signed message, with the second at which it came, and to whom it went where not to all."""
    shared: dict[str, Any]
    """What is given to every vector of the round."""
    vectors: list[tuple[str, str, str, dict[str, Any], Any]]
    """Name, operation, paragraph, given and gives of each."""
    files: dict[str, bytes]
    """The matcher's log."""
    registry: Registry
    keys: dict[str, Any]
    """The identity key of everybody."""
    round: Round
    """The matcher's record."""


@cache
def played() -> Played:
    """Play the round, once in a process."""
    with TemporaryDirectory() as folder:
        stage = WholeRound(Path(folder)).play()
        keys: dict[str, Any] = {code: node.party.identity for code, node in stage.nodes.items()}
        keys[MATCHER] = stage.matcher.identity
        shared = {
            "rules": content_of(TABLE),
            "identities": {holder: key.to_bytes() for holder, key in sorted(keys.items())},
            "parties": stage.secrets,
            "statements": stage.said,
        }
        return Played(stage.said, shared, list(_vectors(stage)), stage.files(), stage.registry, keys, stage.round)


def _vectors(stage: WholeRound) -> Iterator[tuple[str, str, str, dict[str, Any], Any]]:
    for code, node in stage.nodes.items():
        chunks = [node.chunks.elements(index) for index in range(len(node.chunks))]
        yield f"submission_of_{code}", "submission", "3.4.5", {"party": code}, chunks
    for origin, evaluator in (*(PAIR, PAIR[::-1]), (AWAY, "RS")):
        node = stage.nodes[origin]
        for index in range(len(node.chunks)):
            kept = {(one.index, one.node.code): one.elements for one in stage.for_away}
            found = kept[index, evaluator] if origin == AWAY else stage.answer_of(node, index, evaluator)
            given = {"evaluator": evaluator, "origin": origin, "index": index}
            yield f"chunk_{index}_of_{origin}_by_{evaluator}", "evaluation", "3.5.1", given, found
    for own, other in (PAIR, PAIR[::-1]):
        node = stage.nodes[own]
        tags = node.column_for(other).tobytes()
        gives = {
            "rows": parted(b"".join(stage.tokens[node.submission_id, other]), 33),
            "tags": len(tags) // 16,
            "sha256": hashlib.sha256(tags).digest(),
        }
        yield f"column_of_{own}_for_{other}", "column", "3.6.2", {"party": own, "counterpart": other}, gives
        numbers = {rule.name: rule.number for rule in stage.table.rules}
        hits = [
            {
                "record": hit.record_id_a if own == hit.party_a else hit.record_id_b,
                "level": hit.certainty.value,
                "rules": [numbers[rule] for rule in hit.rules],
            }
            for hit in stage.hits
        ]
        given = {"party": own, "counterpart": other}
        yield f"hits_of_{own}", "hits", "3.7.3", given, sorted(hits, key=lambda hit: str(hit["record"]))
        yield (
            f"notes_of_{other}_for_{own}",
            "notes",
            "3.7.8",
            {"sender": other, "receiver": own},
            _notes(stage, own, other),
        )
    levels = Counter(hit.certainty.value for hit in stage.hits)
    gives = {
        "phase": stage.round.phase.value,
        "binding": stage.round.binding,
        "participants": list(stage.round.participants),
        "hits": {"-".join(PAIR): {level.value: levels[level.value] for level in Level}},
    }
    yield "replayed", "replay", "3.8", {}, gives
    record = stage.new_record(sees_everything=True)
    phases = [record.phase.value]
    for one in stage.said[1:]:
        record.accept(one["envelope"].encode())
        phases.append(record.phase.value)
    yield "phases", "phases", "3.10", {}, phases


def _notes(stage: WholeRound, own: str, other: str) -> dict[str, str]:
    """Open the notes of the other party by the tokens that met (3.7.5, 3.7.6)."""
    binding = bytes.fromhex(stage.round.binding)
    rows = [row for chunk, _ in stage.finalized[own, other] for row in parted(chunk, 33)]
    secrets = [secret for _, chunk in stage.finalized[own, other] for secret in parted(chunk, 32)]
    (batch,) = (
        json.loads(base64.b64decode(json.loads(one["envelope"])["payload"]))
        for one in stage.said
        if json.loads(one["envelope"])["payloadType"] == Notes.payload_type and one["to"] == sorted(PAIR)
        and json.loads(base64.b64decode(json.loads(one["envelope"])["payload"]))["party"] == other
    )  # fmt: skip
    info = notes_context(stage.round.binding, other, own, None, batch["index"])
    key = SealingKey(stage.secrets[own]["sealing"])
    entries = parted(open_sealed(key, info, base64.b64decode(batch["sealed"])), 844)
    found = {}
    for hit in stage.report(own, other).hits:
        handle, theirs = bytes.fromhex(hit.handle), bytes.fromhex(hit.counterpart_handle)
        held = sorted(
            (row[17:], row[16], secret) for row, secret in zip(rows, secrets, strict=True) if row[:16] == handle
        )
        met = [held[place] for place in bytes.fromhex(hit.met)]
        parts = [binding, bytes.fromhex(hit.hit_id), other.encode(), own.encode(), theirs, handle]
        info = definition.framed("aquila/2 note", *parts, bytes(rule for _, rule, _ in met))
        made = definition.hkdf_sha512(binding, b"".join(secret for *_, secret in met), info)
        (sealed,) = (entry[16:] for entry in entries if entry[:16].hex() == hit.hit_id)
        content = AESGCMSIV(made[:32]).decrypt(sealed[:12], sealed[12:], None)
        found[hit.hit_id] = content[2 : 2 + int.from_bytes(content[:2], "big")].decode()
    return found


def make() -> Theme:
    theme = Theme("whole_round", ABOUT, SOURCE, OPERATIONS)
    round_ = played()
    theme.shared = round_.shared
    for name, operation, paragraph, given, gives in round_.vectors:
        theme.valid(name, operation, paragraph, given, gives)
    return theme
