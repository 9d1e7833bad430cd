"""The trusted record of one round: every statement that counts, verified on the way in (PROTOCOL.md section 3).

A `Round` is built from a signed manifest and takes signed envelopes one by one. What it has accepted is right: signed
by the pinned key, of this round, under its binding, in order, once. Party and matcher use the same record and
rebuild it from stored envelopes. It does no I/O; bytes of chunks are checked in `party` and `matcher`.
"""

from dataclasses import dataclass

from aquila.crypto.envelope import open_envelope, payload_of
from aquila.crypto.group import Group
from aquila.errors import BindingError, EquivocationError, MalformedError, SignatureError
from aquila.protocol import messages
from aquila.protocol.registry import MATCHER, Registry
from aquila.protocol.rounds import rules, statement_limits
from aquila.protocol.rounds.round_state import AnnouncementKey, ReportKey, RoundState

LARGEST_STATEMENT = 96 << 20
"""Bytes of an envelope at most: a submission of 600,000 chunks, or the report of a query with 200,000 hits."""

_MESSAGES: dict[str, type[messages.Message]] = {
    kind.payload_type: kind for kind in (*messages.PARTY_STATEMENTS, *messages.ANNOUNCEMENTS)
}


@dataclass(frozen=True, slots=True)
class AcceptedStatement:
    """A statement that was verified: the message, its signer, the digest of its payload, and whether it was new."""

    message: messages.Message
    signer: str
    digest: str
    new: bool


@dataclass(frozen=True, slots=True)
class ReadStatement:
    """A statement whose signature and form are right; each state of the round decides whether it counts."""

    message: messages.Message
    signer: str
    digest: str


ERASED = messages.Justification(
    legal_basis="erased", purpose="erased", case_reference="erased", category="erased", officer="erased"
)
"""What stands in a submission in place of a justification whose three years are over (PROTOCOL.md 8.5)."""

JUSTIFICATION_DAYS = 1_095
"""For how long a justification is kept: three years from when it was given."""


def without_justification(envelope: bytes) -> bytes:
    """Return the rest of a stored submission when its justification is erased: without it, and without signature.

    Raises:
        MalformedError: It is no envelope of a submission.
    """
    payload = payload_of(envelope, messages.Submission.payload_type)
    return messages.Submission.from_payload(payload).model_copy(update={"justification": ERASED}).payload()


def read_erased(content: bytes, digest: str) -> ReadStatement:
    """Read the rest of an erased submission; its own store vouches for it, since its signature cannot be verified.

    Args:
        content: As `without_justification` returned it.
        digest: The digest of the submission as it was signed.

    Raises:
        MalformedError: It is something else.
    """
    message = messages.Submission.from_payload(content)
    return ReadStatement(message, message.party, digest)


def read_statement(registry: Registry, envelope: bytes) -> ReadStatement:
    """Verify the signature of an envelope and read its message, whatever the round.

    Raises:
        MalformedError: It is no envelope with a message of the protocol in canonical encoding.
        SignatureError: No pinned key signed it.
    """
    holders = registry.by_fingerprint()
    keys = {print_: key for print_, (_, key) in holders.items()}
    opened = open_envelope(envelope, list(_MESSAGES), keys, limit=LARGEST_STATEMENT)
    message = _MESSAGES[opened.payload_type].from_payload(opened.payload)
    return ReadStatement(message, holders[opened.signer.fingerprint][0], opened.digest)


@dataclass(slots=True)
class Round(RoundState):
    """The known and verified state of one round. Make it with `Round.from_manifest`."""

    @classmethod
    def from_manifest(
        cls, registry: Registry, group: Group, envelope: bytes, *, sees_everything: bool = False
    ) -> "Round":
        """Start the record of a round from its signed manifest (PROTOCOL.md 3.1).

        Args:
            sees_everything: Whether every statement of the round comes here, as it does at the matcher; then tokens
                ahead of their evaluations are refused.

        Raises:
            SignatureError: The matcher did not sign it, or a participant's key is not the pinned one.
            MalformedError: It is no manifest.
        """
        keys = {key.fingerprint: key for key in registry.keys_of(MATCHER)}
        opened = open_envelope(envelope, [messages.Manifest.payload_type], keys)
        manifest = messages.Manifest.from_payload(opened.payload)
        for participant in manifest.participants:
            # A round that began before a key was replaced names the key of its time (11.9).
            known = [key.fingerprint for key in registry.keys_of(participant.party)]
            if participant.identity_fingerprint not in known:
                raise SignatureError(
                    "manifest_identity_key_differs",
                    party=participant.party,
                    expected=known[-1],
                    got=participant.identity_fingerprint,
                )
        return cls(registry, group, manifest, opened.digest, sees_everything)

    def accept(self, envelope: bytes, *, now: int | None = None) -> AcceptedStatement:
        """Verify a signed envelope and take it into the record; the same envelope again changes nothing.

        Args:
            envelope: A DSSE envelope of any message of the round.
            now: Seconds since 1970 for the manifest's deadlines, 0 where nobody can tell when it came; None when stored
                envelopes are read back, which are not held against `statement_limits` again either.

        Raises:
            MalformedError, SignatureError, BindingError, OrderError, CapError, ProofError: It does not count; the
                record is unchanged.
            EquivocationError: Its signer has signed another one in its place; both are evidence.
        """
        # 1. The signature is by a pinned key, and the payload is a message of the protocol in canonical encoding.
        return self.accept_read(read_statement(self.registry, envelope), now=now)

    def accept_read(self, read: ReadStatement, *, now: int | None = None) -> AcceptedStatement:
        """Take a statement into the record that was read with the registry of this round; the rest of `accept`.

        Raises:
            AquilaError: As `accept`.
        """
        message = read.message
        # 2. It belongs to this round.
        if message.round_id != self.round_id:  # type: ignore[attr-defined]  # every message of the table has it
            raise BindingError("statement_of_another_round", round=self.round_id)
        # 3. The signer is the one who may say it; a party speaks once under each sequence number. Gaps are no fault:
        #    the number of a statement that was refused here (too late, say) stays empty, and its party goes on.
        if isinstance(message, messages.Statement):
            return self._accept_statement(message, read.signer, read.digest, now)
        return self._accept_announcement(message, read.signer, read.digest)

    def _accept_statement(
        self, message: messages.Statement, signer: str, digest: str, now: int | None
    ) -> AcceptedStatement:
        if message.party != signer or self.manifest.fingerprint_of(signer) is None:
            raise SignatureError("statement_signed_by_another_party", party=message.party)
        spoken = self.sequences.get(signer, {})
        before = spoken.get(message.sequence)
        # Of notes that were deleted after their confirmation, a record that was read back knows the digest alone.
        if before == digest or digest in self.notes:
            return AcceptedStatement(message, signer, digest, new=False)
        if before is not None:
            raise EquivocationError(
                "statement_number_signed_twice",
                round=self.round_id,
                party=signer,
                expected=before,
                got=digest,
                sequence=message.sequence,
            )
        rules.check_not_ended(self, message)
        rules.check_log_head(self, message)
        if now is not None:
            statement_limits.check_bounds(self, message)
        if isinstance(message, messages.BoundStatement):
            rules.check_binding(self, message)
        rules.apply_statement(message, self, digest, now)
        self.sequences.setdefault(signer, {})[message.sequence] = digest
        return AcceptedStatement(message, signer, digest, new=True)

    def _accept_announcement(self, message: messages.Message, signer: str, digest: str) -> AcceptedStatement:
        if signer != MATCHER:
            raise SignatureError("announcement_not_by_matcher", party=signer)
        key = announcement_key(message)
        before = self.announced.get(key)
        if before == digest:
            return AcceptedStatement(message, signer, digest, new=False)
        if before is not None:
            raise EquivocationError(
                "announcement_signed_twice", round=self.round_id, expected=before, got=digest, kind=key.kind
            )
        rules.apply_statement(message, self, digest, None)
        self.announced[key] = digest
        return AcceptedStatement(message, signer, digest, new=True)


def announcement_key(message: messages.Message) -> AnnouncementKey:
    """Return the key under which an announcement is unique: its kind, and of a report which one it is, and its page.

    Raises:
        MalformedError: It is not announced within a round.
    """
    kind = messages.kind_of(message)
    if isinstance(message, messages.HitReport):
        page = None if message.page is None else message.page.number
        return AnnouncementKey(kind, ReportKey.of(message), page)
    if isinstance(message, messages.Opening | messages.Ending):
        return AnnouncementKey(kind)
    raise MalformedError("announcement_not_within_round", message_type=kind.value, kind=kind)
