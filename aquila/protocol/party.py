"""A contracting party's part in a round, free of I/O (PROTOCOL.md section 3, the party's paragraphs).

Every method takes what is known of the round and what the caller read, and returns bytes to store first and to send
then. Sequence numbers come from the caller, who commits the statement with its number before it leaves the node.
Notes are made and verified in `aquila.protocol.rounds.exchange`; here batches of them are sealed, opened and signed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from aquila.crypto.envelope import sign_envelope
from aquila.crypto.group import ELEMENT_BYTES, Group
from aquila.crypto.keys import KEY_BYTES, SealingKey, SecretBytes, SigningKey
from aquila.crypto.sealing import open_sealed, seal_to
from aquila.crypto.shares import Share, new_share, prove_knowledge
from aquila.errors import (
    AquilaError,
    BindingError,
    DigestError,
    KeyMaterialError,
    MalformedError,
    OrderError,
    PolicyError,
)
from aquila.followup.lifecycle import Ground
from aquila.matching.learning import least_common_per_million
from aquila.protocol.encoding import framed
from aquila.protocol.messages import (
    Acknowledgement,
    Alarm,
    CheckFault,
    ChunkReference,
    ClassCounts,
    Closing,
    Confirmation,
    Consent,
    EarlierRound,
    Evaluation,
    Fault,
    FollowUp,
    HitReport,
    Justification,
    Kind,
    Locks,
    LogHead,
    Manifest,
    Notes,
    Outcomes,
    PairOutcomes,
    Receipt,
    Refusal,
    RefutedHit,
    ReportCheck,
    SharePublic,
    Statement,
    Submission,
    TokenColumn,
    Tokens,
    Withdrawal,
    WithheldAnswer,
    Withholding,
)
from aquila.protocol.rounds import follow_ups, rules
from aquila.protocol.rounds.exchange import entries_of
from aquila.protocol.rounds.locks import pair_key, seal_halves
from aquila.protocol.rounds.round_state import ReportKey
from aquila.protocol.rounds.verified_round import Round
from aquila.protocol.submissions.tasks import (
    CarriedSecret,
    ChunkEvaluation,
    ColumnTask,
    EvaluateTask,
    FinalizeTask,
    VerifyTask,
)
from aquila.records.rules import InputClass, RuleTable

Random = Callable[[int], bytes]


class _Head(TypedDict):
    """The fields that every statement begins with."""

    round_id: str
    party: str
    sequence: int


class _Bound(_Head):
    """The same with the round's binding."""

    binding: str


class RoundSecrets:
    """A party's secrets of one round: a share per class, what its locks follow from, the sealing key. Never shown."""

    __slots__ = ("lock", "sealing", "shares")

    def __init__(self, shares: Mapping[InputClass, Share], lock: SecretBytes, sealing: SealingKey) -> None:
        self.shares = dict(shares)
        self.lock = lock
        self.sealing = sealing

    def __repr__(self) -> str:
        return "RoundSecrets(...)"

    def to_bytes(self) -> bytes:
        """Return the secrets for the round key to seal; nothing else may see these bytes."""
        document = {kind.value: share.to_bytes().hex() for kind, share in self.shares.items()}
        document |= {"lock": self.lock.to_bytes().hex(), "sealing": self.sealing.to_bytes().hex()}
        return json.dumps(document).encode()

    @classmethod
    def from_bytes(cls, group: Group, content: bytes) -> RoundSecrets:
        """Read back what `to_bytes` gave; raises KeyMaterialError if the bytes are no round secrets."""
        try:
            document = {name: bytes.fromhex(value) for name, value in json.loads(content).items()}
            shares = {kind: Share.from_bytes(group, document[kind.value]) for kind in InputClass}
            return cls(shares, SecretBytes(document["lock"]), SealingKey(document["sealing"]))
        except (ValueError, KeyError, TypeError, AttributeError, AquilaError):
            raise KeyMaterialError("round_secrets_unreadable") from None

    def close(self) -> None:
        """Overwrite every secret."""
        for secret in (*self.shares.values(), self.lock, self.sealing):
            secret.close()


@dataclass(frozen=True, slots=True)
class EvaluatedChunk:
    """The answer to one chunk: the evaluated elements and the signed statement with the proof."""

    elements: bytes
    envelope: bytes


@dataclass(frozen=True, slots=True)
class Party:
    """A contracting party with its identity key, as it acts in rounds."""

    code: str
    """The party's code."""
    identity: SigningKey
    """Its identity key."""
    group: Group
    """The group backend."""
    log_head: Callable[[], LogHead | None] = lambda: None
    """Gives the checkpoint of the matcher's log that this party saw last, or None where it has seen none."""

    def check_manifest(self, manifest: Manifest, table: RuleTable, normalizer: tuple[str, str]) -> None:
        """Refuse a round that this party could not take part in rightly (PROTOCOL.md 3.3.1).

        Args:
            manifest: What the secretariat proposes.
            table: The match rules that this node would use.
            normalizer: Name and conformance digest of this node's normalizer.

        Raises:
            PolicyError: The party is not invited, or would normalize or match otherwise than the others.
        """
        if manifest.fingerprint_of(self.code) != self.identity.public.fingerprint:
            raise PolicyError("manifest_lacks_party_key", party=self.code)
        if manifest.rules.digest != table.digest:
            raise PolicyError(
                "node_match_rules_differ", expected=manifest.rules.digest, got=table.digest, rules=manifest.rules.name
            )
        wanted, (name, digest) = manifest.normalizer, normalizer
        if (wanted.name, wanted.digest) != normalizer:
            raise PolicyError(
                "node_name_normalization_differs",
                expected=f"{wanted.name} {wanted.digest[:16]}",
                got=f"{name} {digest[:16]}",
            )

    def check_report(self, report: HitReport, table: RuleTable) -> None:
        """Refuse a report that was graded on fewer common persons than are ever learned (PROTOCOL.md 3.7.15).

        Raises:
            PolicyError: The share of common persons is below the least.
        """
        least, share = least_common_per_million(table), report.basis.common_per_million
        if share < least:
            raise PolicyError(
                "report_share_below_least",
                round=report.round_id,
                counterpart=report.counterpart,
                expected=least,
                got=share,
            )

    def consent(
        self,
        round_: Round,
        sequence: int,
        earlier: Sequence[EarlierRound],
        random: Random,
        elements: ClassCounts | None = None,
    ) -> tuple[RoundSecrets, bytes]:
        """Make fresh secrets and sign the consent that brings their public halves (PROTOCOL.md 3.3).

        Args:
            round_: The record of the round.
            sequence: The number of the statement.
            earlier: What this party evaluated in earlier rounds.
            random: Gives fresh random bytes.
            elements: How many elements this party declares; all that the manifest allows it where none are given.

        Returns:
            The secrets, to be sealed and stored before anything is sent, and the envelope.
        """
        shares = {kind: new_share(self.group, random) for kind in InputClass}
        lock, sealing = SecretBytes(random(KEY_BYTES)), SealingKey.generate(random)
        keys = [*(share.public_key.hex() for share in shares.values()), sealing.public.hex()]
        public = []
        for kind, share in shares.items():
            context = rules.knowledge_context(round_.manifest_digest, self.code, kind, keys)
            proof = prove_knowledge(self.group, share, context, random)
            public.append(SharePublic(input_class=kind, public_key=share.public_key.hex(), proof=proof.hex()))
        consent = Consent(
            **self._head(round_, sequence),
            manifest_digest=round_.manifest_digest,
            elements=elements or round_.manifest.caps_of(self.code),
            shares=tuple(public),
            sealing_key=sealing.public.hex(),
            earlier_rounds=tuple(earlier),
        )
        return RoundSecrets(shares, lock, sealing), self._signed(consent)

    def check_opening(self, round_: Round, own_consent: str) -> None:
        """Refuse to go on where the round opened without this party's own consent (PROTOCOL.md 3.3.5).

        Args:
            round_: The record, with the opening taken.
            own_consent: Digest of the consent that this node signed.

        Raises:
            BindingError: The round is not this party's.
        """
        if round_.consent_digests.get(self.code) != own_consent or self.code not in round_.participants:
            raise BindingError("round_opened_without_consent", round=round_.round_id, party=self.code)

    def locks(self, round_: Round, sequence: int, secrets: RoundSecrets) -> bytes:
        """Seal this party's half of each lock to its counterpart, and sign them (PROTOCOL.md 3.3.8).

        Called again, it seals the same halves in other bytes.
        """
        halves = seal_halves(round_, self.code, secrets.lock)
        return self._signed(Locks(**self._bound(round_, sequence), halves=halves))

    def submit(
        self,
        round_: Round,
        sequence: int,
        submission_id: str,
        kind: Kind,
        justification: Justification,
        records: int,
        chunks: Sequence[ChunkReference],
    ) -> bytes:
        """Sign the manifest of a submission whose chunks are stored already (PROTOCOL.md 3.4).

        Raises:
            OrderError: This party's Locks are not in the record.
            PolicyError: There is no chunk, because every value was held back.
        """
        if self.code not in round_.locks:
            raise OrderError("submission_before_locks", round=round_.round_id, party=self.code)
        if not chunks:
            raise PolicyError("nothing_to_submit", round=round_.round_id)
        submission = Submission(
            **self._bound(round_, sequence),
            submission_id=submission_id,
            kind=kind,
            justification=justification,
            records=records,
            elements=ClassCounts.by(lambda kind: sum(one.elements for one in chunks if one.input_class is kind)),
            chunks=tuple(chunks),
        )
        return self._signed(submission)

    def to_evaluate(
        self, round_: Round, secrets: RoundSecrets, submission_id: str, index: int, chunk: bytes, fresh: bytes
    ) -> EvaluateTask:
        """Check a chunk of another party's submission, and return the work on it (PROTOCOL.md 3.5).

        The work is `aquila.protocol.submissions.tasks.evaluate_chunk`, anywhere; `sign_evaluation` follows.

        Args:
            round_: The record; the submission is in it, which means signed, bound and within its caps.
            secrets: This party's secrets of the round.
            submission_id: Whose chunk it is.
            index: The chunk's place in the submission.
            chunk: Its elements as they came.
            fresh: 32 fresh random bytes for the proof's nonce.

        Raises:
            OrderError: The submission is not one that this party evaluates (now).
            DigestError: The bytes are not those that the origin signed.
            MalformedError: There are more or fewer elements than the origin signed and the caps counted.
        """
        # 1. The submission counts, and is another party's.
        submission = self._others_submission(round_, submission_id)
        reference = chunk_of(submission, index)
        # 2. The bytes are those that its origin signed (3.5.2), as many as were counted against its caps (3.4.3). The
        #    task checks that each is a valid element, in order (3.4.5).
        check_digest(chunk, reference.digest, submission=submission_id, chunk=index)
        if len(chunk) != reference.elements * ELEMENT_BYTES:
            raise MalformedError(
                "chunk_element_count_differs",
                submission=submission_id,
                chunk=index,
                expected=reference.elements * ELEMENT_BYTES,
                got=len(chunk),
            )
        # 3. Evaluate and prove under this class's share.
        share = CarriedSecret.of(secrets.shares[reference.input_class])
        return EvaluateTask(share, proof_context(round_, submission, index, self.code), chunk, fresh)

    def sign_evaluation(
        self, round_: Round, sequence: int, submission_id: str, index: int, evaluated: ChunkEvaluation
    ) -> EvaluatedChunk:
        """Sign what the work of `to_evaluate` gave (PROTOCOL.md 3.5).

        Raises:
            OrderError: Meanwhile the submission is none that this party evaluates.
        """
        submission = self._others_submission(round_, submission_id)
        reference = chunk_of(submission, index)
        evaluation = Evaluation(
            **self._bound(round_, sequence),
            origin=submission.party,
            submission_id=submission_id,
            index=index,
            input_class=reference.input_class,
            elements=reference.elements,
            input_digest=reference.digest,
            output_digest=evaluated.digest,
            proof=evaluated.proof.hex(),
        )
        return EvaluatedChunk(evaluated.elements, self._signed(evaluation))

    def to_verify(self, round_: Round, evaluation: Evaluation, elements: bytes) -> VerifyTask:
        """Return the work of verifying another party's evaluation of a chunk of one's own (PROTOCOL.md 3.6).

        The work is `aquila.protocol.submissions.tasks.verify_answers`, on any executor; the evaluation counts once it
        raised nothing.

        Args:
            round_: The record, which has taken the evaluation's statement.
            evaluation: The statement.
            elements: The evaluated elements as they came.

        Raises:
            DigestError: The bytes are not those that the evaluator signed.
        """
        check_digest(elements, evaluation.output_digest, submission=evaluation.submission_id, chunk=evaluation.index)
        submission = round_.submissions[evaluation.submission_id]
        context = proof_context(round_, submission, evaluation.index, evaluation.party)
        key = share_key(round_, evaluation.party, evaluation.input_class)
        return VerifyTask(key, context, elements, bytes.fromhex(evaluation.proof))

    def to_finalize(
        self,
        round_: Round,
        secrets: RoundSecrets,
        seed: SecretBytes,
        submission_id: str,
        index: int,
        rows: np.ndarray,
        evaluations: Mapping[str, bytes],
    ) -> FinalizeTask:
        """Return the work of turning a chunk of one's own into the rows of columns (PROTOCOL.md 3.6, second half).

        The work is `aquila.protocol.submissions.tasks.finalize`, anywhere. Columns that are made together take less
        time than one by one.

        Args:
            round_: The record.
            secrets: This party's secrets of the round.
            seed: The submission seed.
            submission_id: Whose chunk it is.
            index: The chunk's place in the submission.
            rows: The chunk's rows.
            evaluations: By counterpart whose column is to be made, the elements that it evaluated, all verified.
        """
        kind = chunk_of(round_.submissions[submission_id], index).input_class
        columns = []
        for party, evaluated in sorted(evaluations.items()):
            with pair_key(round_, self.code, secrets, party, "tokens") as key:
                carried = CarriedSecret.of(key)
            terms = share_key(round_, party, kind), round_.handles_for(party), evaluated
            columns.append(ColumnTask(party, carried, *terms))
        share = CarriedSecret.of(secrets.shares[kind])
        named = bytes.fromhex(submission_id)
        return FinalizeTask(self.code, named, CarriedSecret.of(seed), kind, share, rows, columns)

    def tokens(self, round_: Round, sequence: int, submission_id: str, column: TokenColumn) -> bytes:
        """Sign the statement of the tokens of a submission for one counterpart.

        Args:
            round_: The record.
            sequence: The statement's number.
            submission_id: Which submission was finalized.
            column: Its column for the counterpart.

        Raises:
            OrderError: The counterpart has not signed its list yet, as far as this record knows (3.6.4).
        """
        rules.check_list(round_, column.counterpart)
        return self._signed(Tokens(**self._bound(round_, sequence), submission_id=submission_id, column=column))

    def receipt(self, round_: Round, sequence: int, counterpart: str, submission_id: str | None = None) -> bytes:
        """Sign that this party's report of a pair is stored (PROTOCOL.md 3.7.4)."""
        report = ReportKey(self.code, counterpart, submission_id)
        return self._signed(
            Receipt(
                **self._bound(round_, sequence),
                counterpart=counterpart,
                submission_id=submission_id,
                report_digest=round_.reports[report],
                hits=round_.reported[report],
            )
        )

    def alarm(self, round_: Round, sequence: int, submission_id: str, hits: int, expected: float) -> bytes:
        """Sign that this party withholds its receipt of a query's report (PROTOCOL.md 3.7.14)."""
        asker = round_.submissions[submission_id].party
        return self._signed(
            Alarm(
                **self._bound(round_, sequence),
                submission_id=submission_id,
                report_digest=round_.reports[ReportKey(self.code, asker, submission_id)],
                hits=hits,
                expected=round(1_000 * expected),
            )
        )

    def withhold_answer(self, round_: Round, sequence: int, submission_id: str, state: Withholding) -> bytes:
        """Sign for a query's asker that this party's answer is on hold or refused (PROTOCOL.md 3.7.16)."""
        return self._signed(WithheldAnswer(**self._bound(round_, sequence), submission_id=submission_id, state=state))

    def checked(
        self, round_: Round, sequence: int, report: ReportKey, *, met: str | None, below: int, fault: CheckFault | None
    ) -> bytes:
        """Sign what this party found when it checked a report of its own (PROTOCOL.md 3.7.13).

        Args:
            round_: The record.
            sequence: The statement's number.
            report: Which report.
            met: The digest of the tags that met, as it tells.
            below: How many pairs it tells that meet a set and are no hits.
            fault: What is wrong, if anything is.
        """
        return self._signed(
            ReportCheck(
                **self._bound(round_, sequence),
                counterpart=report.counterpart,
                submission_id=report.submission_id,
                report_digest=round_.reports[report],
                met=met,
                below=below,
                fault=fault,
            )
        )

    def notes(
        self, round_: Round, sequence: int, to: str, submission_id: str | None, index: int, entries: Sequence[bytes]
    ) -> bytes:
        """Seal a batch of notes to a counterpart, and sign it (PROTOCOL.md 3.7.6).

        Args:
            round_: The record.
            sequence: The statement's number.
            to: Whose hits these are too.
            submission_id: The query whose hits they are, or None for the lists.
            index: Which batch it is, from 0.
            entries: What `aquila.protocol.rounds.exchange.seal_entries` gave, at most `MAX_NOTES`.
        """
        context = notes_context(round_.binding, self.code, to, submission_id, index)
        sealed = seal_to(bytes.fromhex(round_.consents[to].sealing_key), context, b"".join(entries))
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

    def open_notes(self, notes: Notes, sealing: SealingKey) -> list[tuple[str, bytes]]:
        """Open a batch of notes that the record has taken.

        Returns:
            The hit id and the sealed note of each.

        Raises:
            SealError: It was sealed to another key, or by another party, or for another report.
            MalformedError: It is no base64, or holds another number of notes than was signed.
        """
        return list(entries_of(self.open_batch(notes, sealing), notes.hits))

    def open_batch(self, notes: Notes, sealing: SealingKey) -> bytes:
        """Do as `open_notes`, and return the batch as it is (`aquila.protocol.rounds.exchange.entries_of`)."""
        context = notes_context(notes.binding, notes.party, self.code, notes.submission_id, notes.index)
        try:
            sealed = base64.b64decode(notes.sealed, validate=True)
        except ValueError:
            raise MalformedError("batch_not_base64", party=notes.party) from None
        return open_sealed(sealing, context, sealed)

    def confirm(
        self, round_: Round, sequence: int, notes: Notes, notes_digest: str, refuted: Mapping[str, Fault]
    ) -> bytes:
        """Sign what this party found in a batch of notes (PROTOCOL.md 3.7.8).

        Args:
            round_: The record.
            sequence: The statement's number.
            notes: The batch.
            notes_digest: The digest of its statement.
            refuted: Its hits that do not hold, by id, and why; all others are confirmed.
        """
        return self._signed(
            Confirmation(
                **self._bound(round_, sequence),
                to=notes.party,
                submission_id=notes.submission_id,
                notes=notes_digest,
                notes_sequence=notes.sequence,
                confirmed=notes.hits - len(refuted),
                refuted=tuple(RefutedHit(hit_id=hit_id, fault=fault) for hit_id, fault in sorted(refuted.items())),
            )
        )

    def close(self, round_: Round, sequence: int, hits: int, given_up: Sequence[tuple[int, int]] = ()) -> bytes:
        """Sign that the round key is destroyed; call it after it is (PROTOCOL.md 3.9).

        Args:
            round_: The record of the round.
            sequence: The statement's number.
            hits: How many hits this party has.
            given_up: Ranges of own numbers that stay empty (PROTOCOL.md 3.2.2).
        """
        return self._signed(
            Closing(
                **self._head(round_, sequence),
                binding=round_.binding or None,
                destroyed=True,
                hits=hits,
                given_up=tuple(given_up) or None,
            )
        )

    def refuse(self, round_: Round, sequence: int, reason: str, given_up: Sequence[tuple[int, int]] = ()) -> bytes:
        """Sign that this party takes no further part; the round is aborted (PROTOCOL.md 3.9); arguments as `close`."""
        return self._signed(Refusal(**self._head(round_, sequence), reason=reason, given_up=tuple(given_up) or None))

    def withdraw(
        self,
        round_: Round,
        sequence: int,
        counterpart: str,
        hits: Sequence[str],
        ground: Ground,
        submission_id: str | None = None,
    ) -> bytes:
        """Sign that hits on own records are withdrawn, for the party that has their other sides (PROTOCOL.md 3.11.1).

        Args:
            round_: The record of the round, also of one that has ended.
            sequence: The statement's number.
            counterpart: Whose other sides they are.
            hits: The hits' ids, at most `MOST_WITHDRAWN`.
            ground: Why; no other word leaves the node.
            submission_id: The query whose hits they are, or None for hits of the lists.
        """
        return self._signed(
            Withdrawal(
                **self._bound(round_, sequence),
                counterpart=counterpart,
                hits=tuple(sorted(hits)),
                ground=ground,
                submission_id=submission_id,
            )
        )

    def acknowledge(self, round_: Round, sequence: int, withdrawal: str, hits: int, *, erased: bool) -> bytes:
        """Sign that the hits of a withdrawal are marked here (PROTOCOL.md 3.11.3).

        Args:
            round_: The record of the round.
            sequence: The statement's number.
            withdrawal: Digest of the withdrawal.
            hits: How many of its hits this party held.
            erased: Whether what the owner's notes said is gone here.
        """
        return self._signed(
            Acknowledgement(**self._bound(round_, sequence), withdrawal=withdrawal, hits=hits, erased=erased)
        )

    def report_outcomes(self, round_: Round, sequence: int, pairs: Sequence[PairOutcomes]) -> bytes:
        """Sign what came of this party's hits so far, as counts (PROTOCOL.md 3.11.4)."""
        return self._signed(
            Outcomes(**self._bound(round_, sequence), pairs=tuple(sorted(pairs, key=lambda pair: pair.counterpart)))
        )

    def follow_up(
        self, round_: Round, sequence: int, to: str, part: int, key: SecretBytes, content: bytes, nonce: bytes
    ) -> bytes:
        """Seal and sign what this party tells a counterpart of hits of their lists (PROTOCOL.md 3.11.6).

        Args:
            round_: The record of the round, also of one that has ended.
            sequence: The statement's number.
            to: Whose other sides they are.
            part: Which part it is, from 0.
            key: The key of the pair for `follow_ups.PURPOSE`.
            content: What `follow_ups.write_part` gave.
            nonce: 12 fresh random bytes.
        """
        sealed = follow_ups.seal_part(key, round_.binding, (self.code, to), part, content, nonce)
        said = FollowUp(**self._bound(round_, sequence), to=to, part=part, sealed=base64.b64encode(sealed).decode())
        return self._signed(said)

    def _others_submission(self, round_: Round, submission_id: str) -> Submission:
        submission = round_.submissions.get(submission_id)
        if submission is None or round_.ending or self.code not in round_.evaluators_of(submission_id):
            raise OrderError("submission_not_evaluated_here", submission=submission_id)
        return submission

    def _head(self, round_: Round, sequence: int) -> _Head:
        return {"round_id": round_.round_id, "party": self.code, "sequence": sequence}

    def _bound(self, round_: Round, sequence: int) -> _Bound:
        return {**self._head(round_, sequence), "binding": round_.binding_bytes.hex()}

    def _signed(self, statement: Statement) -> bytes:
        """Sign a statement, with what this party saw last of the matcher's log (3.2.5)."""
        statement = statement.model_copy(update={"log_head": self.log_head()})
        if statement.log_head is None and not isinstance(statement, Refusal):
            raise OrderError("matcher_log_not_seen", round=statement.round_id)
        return sign_envelope(statement.payload_type, statement.payload(), self.identity)


def proof_context(round_: Round, submission: Submission, index: int, evaluator: str) -> bytes:
    """Return the context to which a chunk's proof is bound besides its elements (PROTOCOL.md 4.3)."""
    return framed(
        "aquila/2 evaluation",
        round_.binding_bytes,
        submission.chunks[index].input_class.value.encode(),
        evaluator.encode(),
        submission.party.encode(),
        bytes.fromhex(submission.submission_id),
        index.to_bytes(4, "big"),
    )


def notes_context(binding: str, sender: str, receiver: str, submission_id: str | None, index: int) -> bytes:
    """Return the context to which a batch of notes is bound when sealed to its receiver (PROTOCOL.md 3.7.6)."""
    return framed(
        "aquila/2 notes",
        bytes.fromhex(binding),
        sender.encode(),
        receiver.encode(),
        bytes.fromhex(submission_id or ""),
        index.to_bytes(4, "big"),
    )


def share_key(round_: Round, party: str, input_class: InputClass) -> bytes:
    """Return the public key of a party's share of a class, from its consent."""
    shares = {share.input_class: share.public_key for share in round_.consents[party].shares}
    return bytes.fromhex(shares[input_class])


def chunk_of(submission: Submission, index: int) -> ChunkReference:
    """Return a chunk's reference; raises OrderError if the submission has no such chunk."""
    if not 0 <= index < len(submission.chunks):
        raise OrderError("submission_chunk_unknown", submission=submission.submission_id, chunk=index)
    return submission.chunks[index]


def check_digest(content: bytes, expected: str, **place: str | int) -> None:
    """Refuse bytes other than those that were signed.

    Raises:
        DigestError: The SHA-256 differs; the fields say where.
    """
    got = hashlib.sha256(content).hexdigest()
    if got != expected:
        raise DigestError("signed_bytes_differ", expected=expected, got=got, **place)
