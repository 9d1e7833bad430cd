"""The whole round, from its secrets and statements."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from aquila.crypto import oprf
from aquila.crypto.keys import IdentityKey, SealingKey, SecretBytes
from aquila.crypto.shares import Share
from aquila.octets import parted
from aquila.protocol.messages import HitReport, Notes
from aquila.protocol.party import Party, RoundSecrets
from aquila.protocol.registry import MATCHER, RegisteredParty, Registry
from aquila.protocol.rounds import exchange
from aquila.protocol.rounds.hit_columns import held_tokens, hit_batches
from aquila.protocol.rounds.locks import pair_key
from aquila.protocol.rounds.verified_round import Round, read_statement
from aquila.protocol.shadow.columns import make_column
from aquila.protocol.shadow.meeting import sets_between
from aquila.protocol.shadow.token_rows import RecordRows
from aquila.protocol.submissions import tasks
from aquila.protocol.submissions.submission import FinalizedChunk, handles_of, merge_runs, order_rows
from aquila.records.person import Record
from aquila.records.rules import InputClass, RuleTable, rules_of
from tests.support.staged_round import blinded
from tests.vectors.answers.given import GROUP, Given, Operation, cut, raw


class Shown(NamedTuple):
    """What a file of the round gives, read."""

    table: RuleTable
    registry: Registry
    keys: dict[str, IdentityKey]
    statements: list[dict[str, Any]]
    record: Round
    """The matcher's."""


_shown: dict[int, Shown] = {}


def shown(given: Given) -> Shown:
    """Replay the statements at the matcher, once for a file."""
    name = id(given["statements"])
    if name not in _shown:
        keys = {holder: IdentityKey(raw(seed)) for holder, seed in given["identities"].items()}
        parties = {code: RegisteredParty(code, code, key.public) for code, key in keys.items() if code != MATCHER}
        registry = Registry(keys[MATCHER].public, parties)
        first, *others = given["statements"]
        record = Round.from_manifest(registry, GROUP, first["envelope"].encode(), sees_everything=True)
        for one in others:
            record.accept(one["envelope"].encode(), now=one["time"])
        _shown[name] = Shown(rules_of(given["rules"]), registry, keys, given["statements"], record)
    return _shown[name]


def replay(given: Given) -> Given:
    """Also every party takes what it is sent."""
    found = shown(given)
    for code in given["parties"]:
        own = Round.from_manifest(found.registry, GROUP, found.statements[0]["envelope"].encode())
        for one in found.statements[1:]:
            if code in one.get("to", [code]):
                own.accept(one["envelope"].encode())
        assert own.binding == found.record.binding
    reported = {
        f"{key.party}-{key.counterpart}": levels.model_dump(mode="json")
        for key, levels in found.record.reported.items()
        if key.party < key.counterpart
    }
    return {
        "phase": found.record.phase.value,
        "binding": found.record.binding,
        "participants": list(found.record.participants),
        "hits": reported,
    }


def phases(given: Given) -> list[str]:
    found = shown(given)
    first, *others = found.statements
    record = Round.from_manifest(found.registry, GROUP, first["envelope"].encode(), sees_everything=True)
    gone_through = [record.phase.value]
    for one in others:
        record.accept(one["envelope"].encode(), now=one["time"])
        gone_through.append(record.phase.value)
    return gone_through


def secrets_of(given: Given, party: str) -> RoundSecrets:
    told = given["parties"][party]
    shares = {InputClass(kind): Share.from_bytes(GROUP, raw(one)) for kind, one in told["shares"].items()}
    return RoundSecrets(shares, SecretBytes(raw(told["lock"])), SealingKey(raw(told["sealing"])))


def chunks_of(given: Given, party: str) -> list[Any]:
    """Return the rows of a party's chunks, from its list and the submission seed."""
    told, found = given["parties"][party], shown(given)
    records = [Record.from_json(json.dumps(one).encode()) for one in told["list"]]
    terms = found.record.manifest, found.table, SecretBytes(raw(told["submission_seed"])), records
    named = {"binding": found.record.binding_bytes, "submission": told["submission_id"]}
    _, runs = blinded(GROUP, *terms, **named)
    most = found.record.manifest.chunk_elements
    return [(kind, rows) for kind in InputClass for rows in merge_runs(runs[kind], most)]


def submission(given: Given) -> list[str]:
    return [rows["element"].tobytes().hex() for _, rows in chunks_of(given, given["party"])]


def evaluation(given: Given) -> str:
    kind, rows = chunks_of(given, given["origin"])[given["index"]]
    share = secrets_of(given, given["evaluator"]).shares[kind]
    return oprf.evaluate(GROUP, rows["element"].tobytes(), share).hex()


def finalized(given: Given, own: str, other: str) -> Iterator[FinalizedChunk]:
    """Make the column of a party from its own secrets, and the counterpart's share in place of its evaluations."""
    found, told = shown(given), given["parties"][own]
    party, secrets = Party(own, found.keys[own], GROUP), secrets_of(given, own)
    for index, (kind, rows) in enumerate(chunks_of(given, own)):
        elements = rows["element"].tobytes()
        evaluated = oprf.evaluate(GROUP, elements, secrets_of(given, other).shares[kind])
        seed = SecretBytes(raw(told["submission_seed"]))
        terms = found.record, secrets, seed, told["submission_id"], index, rows, {other: evaluated}
        yield tasks.finalize(GROUP, party.to_finalize(*terms))[other]


def column(given: Given) -> Given:
    own, other, found = given["party"], given["counterpart"], shown(given)
    chunks = found.record.submissions[given["parties"][own]["submission_id"]].chunks
    rows = [chunk.rows for _, chunk in order_rows(chunks, list(finalized(given, own, other)).__getitem__)]
    sets = sets_between(found.record, found.table, own, other)
    with pair_key(found.record, own, secrets_of(given, own), other, "shadow") as key:
        made = make_column(key, RecordRows(rows), sets)
    tags = made.tags.tobytes()
    return {"rows": cut(b"".join(rows), 33), "tags": len(made.tags), "sha256": hashlib.sha256(tags).hexdigest()}


def report_of(given: Given, own: str, other: str) -> HitReport:
    read = (read_statement(shown(given).registry, one["envelope"].encode()) for one in shown(given).statements[1:])
    messages = (one.message for one in read)
    (found,) = (one for one in messages if isinstance(one, HitReport) and (one.party, one.counterpart) == (own, other))
    return found


def hits(given: Given) -> list[Given]:
    own, other = given["party"], given["counterpart"]
    told = given["parties"][own]
    rows = sorted(raw(row) for row in column(given)["rows"])
    rows.sort(key=lambda row: row[17:])
    found = []
    places = range(len(told["list"]))
    handles_for = shown(given).record.handles_for(other)
    named = parted(handles_of(SecretBytes(raw(told["submission_seed"])), places, handles_for), 16)
    for hit in report_of(given, own, other).hits:
        bearing = [row[16] for row in rows if row[:16].hex() == hit.handle]
        record = told["list"][named.index(raw(hit.handle))]["record_id"]
        rules = sorted({bearing[place] for place in raw(hit.met)})
        found.append({"record": record, "level": hit.certainty.value, "rules": rules})
    return sorted(found, key=lambda one: str(one["record"]))


def notes(given: Given) -> dict[str, str]:
    """Open the batch, and verify each note of it as its receiver does."""
    own, other = given["receiver"], given["sender"]
    found, report = shown(given), report_of(given, own, other)
    read = (read_statement(found.registry, one["envelope"].encode()) for one in found.statements[1:])
    (batch,) = (
        one.message for one in read if isinstance(one.message, Notes) and (one.signer, one.message.to) == (other, own)
    )
    entries = Party(own, found.keys[own], GROUP).open_notes(batch, SealingKey(raw(given["parties"][own]["sealing"])))
    (hits_,) = hit_batches([report], len(report.hits))
    held = held_tokens([hits_.hits.handles], finalized(given, own, other))
    sizes = exchange.signed_sizes(found.record, report)
    prepared = exchange.prepare(sizes, found.table, report, hits_.hits, held, bytes)
    verified = exchange.verify_batch(prepared.openings, (), entries)
    return {hit_id: cast("Any", note).model_dump_json() for hit_id, note in verified.items()}


OPERATIONS: dict[str, Operation] = {
    "replay": replay,
    "phases": phases,
    "submission": submission,
    "evaluation": evaluation,
    "column": column,
    "hits": hits,
    "notes": notes,
}
