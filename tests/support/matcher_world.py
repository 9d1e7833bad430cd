"""The world of the matcher's tests: its real application on a real database, and parties that call it with the core."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from sqlalchemy import func, select

from aquila.audit.checkpoint import parse_checkpoint
from aquila.crypto.envelope import sign_envelope
from aquila.crypto.group import Group
from aquila.crypto.keys import IdentityKey, SecretBytes
from aquila.matching.join import TOKEN_ROW_BYTES
from aquila.matching.list_rows import KeptRows
from aquila.protocol.messages import Hit, HitReport, Kind, LogHead, Message, Mode, Notes, TokenColumn
from aquila.protocol.messages.feed import EventKind, Events
from aquila.protocol.party import Party
from aquila.protocol.registry import RegisteredParty, Registry, write_registry
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.rounds.round_state import ColumnKey, ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.shadow.columns import Column, make_column
from aquila.protocol.shadow.meeting import ColumnTerms, left_out_before, sets_between
from aquila.protocol.shadow.queries import asked_rows, make_query_column, query_number
from aquila.protocol.shadow.token_rows import RecordRows
from aquila.protocol.submissions.submission import TOKEN_ROW, FinalizedChunk, chunk_reference, merge_runs, order_rows
from aquila.protocol.submissions.tasks import finalize
from aquila.records.person import PartialDate, Record
from aquila.records.rules import InputClass, load_rules
from aquila.simulation import NO_PADDING, REHEARSED
from services.kit.http.signatures import CallSigner
from services.kit.settings import load
from services.kit.storage.files import write_secret
from services.matcher.administration.health import read_health
from services.matcher.context import MatcherContext
from services.matcher.main import build, prepare
from services.matcher.settings import MatcherSettings
from services.matcher.steps.schedule import steps_of
from services.matcher.storage.home import create
from tests.support.clock import Clock
from tests.support.databases import lay_tables
from tests.support.evaluations import evaluate
from tests.support.people import FourEyes, patient, two_persons
from tests.support.staged_round import blinded, verified

BASE = "http://127.0.0.1:8700"
NOW = 1_800_000_000


def person(record_id: str, given: str, family: str, born: str) -> Record:
    return Record(record_id, (given,), (family,), date_of_birth=PartialDate.parse(born))


LISTS = {
    "AL": (person("al-1", "Besnik", "Hoxha", "1979-05-06"), person("al-2", "Drita", "Shehu", "1991-01-17")),
    "RS": (person("rs-1", "Ana", "Novak", "1980-03-04"), person("rs-2", "Besnik", "Hoxha", "1979-05-06")),
    "SI": (person("si-1", "Ana", "Novak", "1980-03-04"), person("si-2", "Peter", "Zupan", "1966-02-03")),
}
"""AL and RS hold one common person, RS and SI another."""


class Sent:
    """A submission of a party: its chunks, and what came back."""

    def __init__(self, submission_id: str, seed: SecretBytes, chunks: list[tuple[Any, Any, bytes]]) -> None:
        self.submission_id, self.seed, self.chunks = submission_id, seed, chunks
        self.answers: dict[tuple[int, str], bytes] = {}
        self.tokens: dict[str, list[bytes]] = {}
        self.pieces: dict[str, list[bytes]] = {}


class Node:
    """A party that plays by the protocol, one call at a time, over the matcher's HTTP interface."""

    def __init__(self, world: World, code: str, key: IdentityKey) -> None:
        self.world, self.code, self.key = world, code, key
        self.party = Party(code, key, world.group, world.log_head)
        self.signer = CallSigner(key, code, world.clock)
        self.sequence = self.cursor = 0
        self.secrets: Any = None
        self.round: Round | None = None
        self.page: Events | None = None
        self.sent: dict[str, Sent] = {}
        self.reports: dict[ReportKey, HitReport] = {}
        self.notes: dict[str, Notes] = {}
        self.seen: list[Any] = []

    def next(self) -> int:
        """Return the next statement's number."""
        self.sequence += 1
        return self.sequence

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Make a signed call below the round."""
        url = path if path.startswith("/") else f"/v1/rounds/{self.world.round_id}/{path}"
        return await self.world.call(method, url, auth=self.signer, **options)

    async def say(self, envelope: bytes) -> httpx.Response:
        return await self.call("POST", "statements", content=envelope)

    def signed(self, message: Message) -> bytes:
        """Return a message in this party's envelope."""
        return sign_envelope(message.payload_type, message.payload(), self.key)

    async def sync(self) -> Events:
        """Fetch and take all events."""
        if self.round is None:
            manifest = (await self.call("GET", "manifest")).content
            self.round = Round.from_manifest(self.world.registry, self.world.group, manifest)
        while True:
            answer = await self.call("GET", f"events?after={self.cursor}")
            assert answer.status_code == 200, answer.text
            self.page = Events.model_validate_json(answer.content)
            for event in self.page.events:
                self.cursor = event.event_id
                self.seen.append(event)
                if event.kind is EventKind.STATEMENT:
                    accepted = self.round.accept(event.envelope.encode())
                    if isinstance(accepted.message, HitReport):
                        report = accepted.message
                        self.reports[ReportKey(self.code, report.counterpart, report.submission_id)] = report
                    elif isinstance(accepted.message, Notes) and accepted.message.to == self.code:
                        self.notes[accepted.digest] = accepted.message
            if not self.page.events:
                return self.page

    async def consent(self) -> httpx.Response:
        await self.sync()
        self.secrets, envelope = self.party.consent(self.round, self.next(), (), secrets.token_bytes)
        return await self.say(envelope)

    async def lock(self) -> httpx.Response:
        """Sign the halves of the locks with all counterparts."""
        await self.sync()
        return await self.say(self.party.locks(self.round, self.next(), self.secrets))

    def prepared(self, kind: Kind = Kind.LIST, records: tuple[Record, ...] | None = None) -> tuple[bytes, Sent]:
        listed = LISTS[self.code] if records is None else records
        seed, manifest, name = SecretBytes(secrets.token_bytes(32)), self.round.manifest, secrets.token_hex(16)
        terms = self.world.group, manifest, self.world.table, seed
        plan, runs = blinded(*terms, listed, binding=self.round.binding_bytes, submission=name)
        chunks = [
            (*chunk_reference(kind, rows), rows)
            for kind in InputClass
            for rows in merge_runs(runs[kind], manifest.chunk_elements)
        ]
        sent = Sent(name, seed, [(reference, rows, octets) for reference, octets, rows in chunks])
        references = [reference for reference, _, _ in sent.chunks]
        envelope = self.party.submit(
            self.round, self.next(), sent.submission_id, kind, REHEARSED, plan.records, references
        )
        self.sent[sent.submission_id] = sent
        return envelope, sent

    async def submit(self, kind: Kind = Kind.LIST, records: tuple[Record, ...] | None = None) -> Sent:
        """Send a list or a query, with its chunks; the Locks before it, if they are not there."""
        await self.sync()
        if self.code not in self.round.locks:
            assert (await self.lock()).status_code == 201
            await self.sync()
        envelope, sent = self.prepared(kind, records)
        assert (await self.say(envelope)).status_code == 201
        await self.put_blinded(sent)
        return sent

    async def put_blinded(self, sent: Sent) -> None:
        for index, (_, _, octets) in enumerate(sent.chunks):
            answer = await self.call("PUT", f"submissions/{sent.submission_id}/blinded/{index}", content=octets)
            assert answer.status_code == 201, answer.text

    async def evaluate(self) -> None:
        await self.sync()
        for event in [event for event in self.seen if event.kind is EventKind.BLINDED]:
            place = event.submission_id, event.index, self.code
            if place not in self.round.evaluations and event.submission_id in self.round.submissions:
                await self.evaluate_chunk(event.submission_id, event.index)
                await self.sync()

    async def evaluate_chunk(self, submission_id: str, index: int) -> None:
        chunk = (await self.call("GET", f"submissions/{submission_id}/blinded/{index}")).content
        fresh = secrets.token_bytes(32)
        answer = evaluate(self.party, self.round, self.secrets, self.next(), submission_id, index, chunk, fresh)
        assert (await self.say(answer.envelope)).status_code == 201
        path = f"submissions/{submission_id}/evaluations/{self.code}/{index}"
        stored = await self.call("PUT", path, content=answer.elements)
        assert stored.status_code == 201, stored.text

    async def collect(self) -> None:
        """Fetch, verify and acknowledge the evaluations of one's own submissions."""
        await self.sync()
        for event in [event for event in self.seen if event.kind is EventKind.EVALUATION]:
            sent, place = self.sent[event.submission_id], (event.index, event.party)
            if place not in sent.answers and event.party in self.round.participants:
                path = f"submissions/{event.submission_id}/evaluations/{event.party}/{event.index}"
                elements = (await self.call("GET", path)).content
                evaluation = self.round.evaluations[event.submission_id, event.index, event.party]
                verified(self.party, self.round, evaluation, sent.chunks[event.index][2], elements)
                sent.answers[place] = elements
                assert (await self.call("DELETE", path)).status_code == 204

    def finalized(self, sent: Sent) -> list[bytes]:
        """Make the tokens of a submission for each counterpart that has evaluated it, and return their statements.

        Those that this party knows in the feed are not made again.
        """
        others = [
            other
            for other in self.round.evaluators_of(sent.submission_id)
            if ColumnKey(sent.submission_id, other) not in self.round.tokens
            and all((index, other) in sent.answers for index in range(len(sent.chunks)))
        ]
        made: dict[str, list[FinalizedChunk]] = {other: [] for other in others}
        for index, (_, rows, _) in enumerate(sent.chunks):
            evaluations = {other: sent.answers[index, other] for other in others}
            terms = sent.submission_id, index, rows, evaluations
            work = self.party.to_finalize(self.round, self.secrets, sent.seed, *terms)
            for other, chunk in finalize(self.world.group, work).items():
                made[other].append(chunk)
        submission = self.round.submissions[sent.submission_id]
        for other, finalized in made.items():
            sent.tokens[other] = [one.rows for _, one in order_rows(submission.chunks, finalized.__getitem__)]
        return [self.tokens_statement(sent, other) for other in others]

    def tokens_statement(self, sent: Sent, other: str) -> bytes:
        """Sign the statement of a submission's tokens for a counterpart."""
        return self.party.tokens(self.round, self.next(), sent.submission_id, self.token_column(sent, other))

    def token_column(self, sent: Sent, other: str) -> TokenColumn:
        """Make the shadow column of a submission for a counterpart, and return what is signed of tokens and tags."""
        rows = sent.tokens[other]
        chunks = [(len(chunk) // TOKEN_ROW_BYTES, hashlib.sha256(chunk).hexdigest()) for chunk in rows]
        rules = Counter(np.frombuffer(b"".join(rows), dtype=TOKEN_ROW)["rule"].tolist())
        key = pair_key(self.round, self.code, self.secrets, other, "shadow")
        column = self.column_for(key, sent, other)
        sent.pieces[other] = list(column.pieces())
        return column.statement(other, key, rules, chunks)

    def column_for(self, key: SecretBytes, sent: Sent, other: str) -> Column:
        """Make the shadow column of a list or a query for a counterpart."""
        sets = sets_between(self.round, self.world.table, self.code, other)
        if sent.submission_id == self.round.list_of(self.code):
            takes_queries = self.round.manifest.mode is Mode.LISTS_AND_QUERIES
            return make_column(key, RecordRows(sent.tokens[other]), sets, other if takes_queries else None)
        query = sent.submission_id
        before = [self.sent[one].tokens[other] for one in self.round.sent_before(query, other)]
        asked = asked_rows(KeptRows(sent.tokens[other]), [KeptRows(rows) for rows in before])
        terms = ColumnTerms(sets, frozenset(), left_out_before(self.round, query, other))
        number = max(0, query_number(self.round, query, other))  # a test may send it before the list
        return make_query_column(key, asked, terms, self.code, number)

    async def finalize(self, sent: Sent) -> None:
        """Send the tokens of a submission for each counterpart that has evaluated it."""
        await self.sync()
        known = {column.counterpart for column in self.round.tokens if column.submission_id == sent.submission_id}
        for envelope in self.finalized(sent):
            answer = await self.say(envelope)
            assert answer.status_code == 201, answer.text
        await self.put_tokens(sent, known)

    async def put_tokens(self, sent: Sent, known: Collection[str] = ()) -> None:
        """Send the token chunks of a submission, and the pieces of its shadow columns, but those that are known."""
        for other, rows in sent.tokens.items():
            if other in known:
                continue
            for index, content in enumerate([*rows, *sent.pieces[other]]):
                path = f"submissions/{sent.submission_id}/tokens/{other}/{index}"
                answer = await self.call("PUT", path, content=content)
                assert answer.status_code == 201, answer.text

    def hits(self, submission_id: str | None = None) -> list[Hit]:
        """Return the hits of all reports that came of the lists, or of a query."""
        return [hit for report in self._reports_of(submission_id) for hit in report.hits]

    def _reports_of(self, submission_id: str | None) -> list[HitReport]:
        return [report for key, report in sorted(self.reports.items(), key=str) if key.submission_id == submission_id]

    async def acknowledge(self, submission_id: str | None = None) -> None:
        """Sign the receipts of all reports that came of the lists, or of a query."""
        await self.sync()
        told = self._reports_of(submission_id)
        assert told
        for report in told:
            envelope = self.party.receipt(self.round, self.next(), report.counterpart, submission_id)
            assert (await self.say(envelope)).status_code == 201

    async def send_notes(self, submission_id: str | None = None) -> None:
        """Send a batch of notes to each counterpart with hits; the matcher cannot tell what is in them."""
        await self.sync()
        for report in self._reports_of(submission_id):
            entries = [secrets.token_bytes(900) for _ in report.hits]
            if entries:
                envelope = self.party.notes(self.round, self.next(), report.counterpart, submission_id, 0, entries)
                assert (await self.say(envelope)).status_code == 201

    async def confirm_notes(self) -> None:
        """Confirm every batch of notes that came."""
        await self.sync()
        for digest, notes in self.notes.items():
            if digest not in self.round.confirmations:
                envelope = self.party.confirm(self.round, self.next(), notes, digest, {})
                assert (await self.say(envelope)).status_code == 201

    async def close(self) -> None:
        """Sign that the keys are destroyed."""
        await self.sync()
        envelope = self.party.close(self.round, self.next(), len(self.hits()))
        assert (await self.say(envelope)).status_code == 201

    @property
    def list(self) -> Sent:
        return self.sent[self.round.list_of(self.code)]


class World:
    def __init__(self, folder: Path, url: str, group: Group, codes: str, **changes: Any) -> None:
        self.folder, self.group, self.clock = folder, group, Clock()
        self.table = load_rules("default")
        keys = {code: IdentityKey.generate(secrets.token_bytes) for code in codes.split()}
        matcher = create(folder, driver_seconds=0.05)
        parties = {code: RegisteredParty(code, code, key.public) for code, key in keys.items()}
        self.registry = Registry(matcher, parties)
        write_secret(folder / "registry.toml", write_registry(self.registry))
        document = load(folder / "matcher.toml", MatcherSettings)
        database = document.database.model_copy(update={"url": url})
        self.settings = patient(document).model_copy(update={"database": database, "workers": 1} | changes)
        if not url:
            lay_tables(folder)
        prepare(self.settings)
        self.round_id = ""
        self.app = build(self.settings, clock=self.clock)
        self.steps = steps_of(self.context, self.app.state.approvals)
        self.nodes = {code: Node(self, code, key) for code, key in keys.items()}
        self.secretariat = two_persons(self.context.people)

    @property
    def context(self) -> MatcherContext:
        return self.app.state.context

    def log_head(self) -> LogHead | None:
        """Return the head of the matcher's log as a party sees it that looks now."""
        self.context.log.own.publish()
        newest = self.context.log.own.newest()
        if newest is None:
            return None
        checkpoint = parse_checkpoint(newest.text)
        return LogHead(size=checkpoint.size, root=checkpoint.root.hex())

    def restart(self) -> None:
        """Kill the matcher and start it on what it stored."""
        self.context.close()
        self.app = build(self.settings, clock=self.clock)
        self.steps = steps_of(self.context, self.app.state.approvals)

    async def call(self, method: str, url: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, url, **options)

    async def operate(self, method: str, path: str = "", **options: Any) -> httpx.Response:
        """Make a call of the secretariat; what waits for a second person is approved at once."""
        transport = FourEyes(httpx.ASGITransport(self.app), self.secretariat)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, f"/v1/operator/rounds{path}", **options)

    def advance(self) -> None:
        """Let every driver work until nothing is left to do."""
        while any([step() for step in self.steps.values()]):  # noqa: C419 - every step has its turn
            pass

    async def propose(self, **changes: Any) -> httpx.Response:
        proposal = {
            "participants": list(self.nodes),
            "area": "test",
            "legal_basis": "test",
            "purpose": "test",
            "category": "test",
            "chunk_elements": 24,
            "padding": NO_PADDING.model_dump(mode="json"),
            "caps": [{"party": code, "elements": dict.fromkeys(InputClass, 200)} for code in self.nodes],
            "window": {"consent_by": NOW, "submit_by": NOW + 100, "evaluate_by": NOW + 200, "closes_at": NOW + 300},
        }
        answer = await self.operate("POST", json=proposal | changes)
        if answer.status_code == 202:
            self.round_id = answer.json()["round_id"]
            for node in self.nodes.values():
                node.round, node.seen = None, []
        return answer

    async def view(self) -> dict[str, Any]:
        return (await self.operate("GET", f"/{self.round_id}")).json()

    async def opened(self, **changes: Any) -> World:
        """Play until the round is open, and everyone has signed its Locks."""
        assert (await self.propose(**changes)).status_code == 202
        for node in self.nodes.values():
            assert (await node.consent()).status_code == 201
        self.advance()
        for node in self.nodes.values():
            assert (await node.lock()).status_code == 201
        return self

    async def submitted(self, **changes: Any) -> World:
        """Play until every list is in."""
        await self.opened(**changes)
        for node in self.nodes.values():
            await node.submit()
        return self

    async def evaluated(self, **changes: Any) -> World:
        """Play until every list is evaluated."""
        await self.submitted(**changes)
        await self.evaluate()
        return self

    async def evaluate(self) -> None:
        """Let every party evaluate and collect what there is."""
        for node in self.nodes.values():
            await node.evaluate()
        for node in self.nodes.values():
            await node.collect()

    async def reported(self, **changes: Any) -> World:
        """Play until the lists' hits are reported."""
        await self.evaluated(**changes)
        for node in self.nodes.values():
            await node.finalize(node.list)
        self.advance()
        return self

    async def acknowledged(self, **changes: Any) -> World:
        """Play until everyone has its hits, and both sides of each have confirmed it."""
        await self.reported(**changes)
        for node in self.nodes.values():
            await node.acknowledge()
        await self.exchange_notes()
        return self

    async def exchange_notes(self) -> None:
        """Let everyone send notes on the lists' hits, and confirm those that come."""
        for node in self.nodes.values():
            await node.send_notes()
        for node in self.nodes.values():
            await node.confirm_notes()

    def awaited(self) -> set[tuple[str, str]]:
        """Return what the open round waits for, as the report on health has it: who, and what."""
        [found] = read_health(self.context, self.app.state.contacts).rounds
        return {(one.party, one.step.value) for one in found.awaited}

    async def pairs(self) -> dict[str, str]:
        """Return the state of each pair, by the codes of its parties, as the secretariat sees it."""
        return {f"{one['left']} {one['right']}": one["state"] for one in (await self.view())["pairs"]}

    def chunk(self, node: str, index: int = 0, what: str = "blinded") -> str:
        """Return the path of a chunk of a party's list."""
        return f"submissions/{self.nodes[node].list.submission_id}/{what}/{index}"

    def count(self, table: type) -> int:
        """Return how many rows a table has."""
        with self.context.store.reading("test") as session:
            return session.scalar(select(func.count()).select_from(table))

    def chunk_files(self) -> list[str]:
        return self.context.files.names()
