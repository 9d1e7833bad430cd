"""The rules of a round: for each message, what must hold before it counts and what it changes (PROTOCOL.md 3.3 to 3.9).

Each check carries the number of its paragraph. A rule raises before it changes anything. Nothing here does I/O.
The table `RULES`, at the end, has the rule of every message; those that follow the hits are in `corrections`.

What must come before what:

 1. A consent comes once from each party, by `consent_by` and before the opening; nobody joins later (3.3.1, 3.3.5).
 2. The opening comes once and names consents that came (3.3.4). Locks, submissions, evaluations, tokens,
    receipts, notes, checks and alarms follow it, since they name its binding (3.2.3).
 3. Locks come once from each party, by `submit_by` (3.3.8), and before all that it submits (3.4.1). A list is
    submitted once, by `submit_by`, and a query by `closes_at` (3.4.2).
 4. An evaluation follows the submission that it is of, once from each other party for each chunk (3.5.1 to 3.5.3).
 5. Tokens of a column follow its counterpart's list (3.6.4) and every evaluation by it (3.6.3), once; those of a
    query also the columns of both lists (3.7.12).
 6. A report follows the tokens of the two columns that it rests on (3.7.1).
 7. A receipt follows its report (3.7.4). So does what its party has checked (3.7.13), once, of a query the owner's
    after the asker's (3.7.13.2), and an alarm (3.7.14), once, of which the receipt may still follow; it never comes
    after the receipt. The owner tells the asker after its alarm that its answer is on hold, and after that, in place
    of the receipt, that it is refused (3.7.16); then no report of the pair comes to the asker.
 8. Notes follow the reports of both sides (3.7.6), and a confirmation its notes (3.7.8), once each; both until seven
    days after `closes_at` (3.7.9).
 9. A closing follows the ending, or its party's receipts of all reports of its list (3.9.2). A refusal comes at any
    time (3.9.1).
10. An ending as closed follows a report (3.9.1). After an ending no consent, submission, evaluation or token counts
    (3.9.5).
11. Withdrawals, outcomes and follow-ups follow receipts, since they are of no more hits than those say, and last until
    retention has passed (3.11.5). A withdrawal of a query's hits follows the report to the counterpart (3.11.1); an
    acknowledgement follows its withdrawal (3.11.3).

A party's record lacks what the party is not shown. Only one that sees everything, the matcher's, can check tokens
against evaluations, notes and withdrawals against reports, and closings and outcomes against receipts.

An example: AL, RS and SI compare their lists. Of each message: who signs it, the phase after the last of them, and the
messages without which the matcher's record refuses it.

    message       signed by    phase        not without
    consent       AL, RS, SI   proposed     nothing
    opening       matcher      open         consent
    locks         AL, RS, SI   open         opening
    submission    AL, RS, SI   open         locks
    evaluation    AL, RS, SI   open         submission
    tokens        AL, RS, SI   matching     evaluation
    hitreport     matcher      reporting    tokens
    reportcheck   AL, RS, SI   reporting    hitreport
    receipt       AL, RS, SI   reporting    hitreport
    notes         AL, RS, SI   reporting    hitreport
    confirmation  AL, RS, SI   reporting    notes
    ending        matcher      closed       hitreport
    closing       AL, RS, SI   closed       receipt or ending
"""

from collections import Counter
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from aquila.crypto.sealing import seal_to
from aquila.crypto.shares import verify_knowledge
from aquila.errors import BindingError, CapError, EquivocationError, MalformedError, OrderError, PolicyError
from aquila.protocol.encoding import digest, framed
from aquila.protocol.messages import (
    Acknowledgement,
    Alarm,
    BoundStatement,
    Closing,
    Confirmation,
    Consent,
    Ending,
    Evaluation,
    FollowUp,
    HitReport,
    Kind,
    LevelCounts,
    Locks,
    Message,
    Mode,
    Notes,
    Opening,
    Outcome,
    Outcomes,
    Receipt,
    Refusal,
    ReportCheck,
    Statement,
    Submission,
    Tokens,
    Withdrawal,
    WithheldAnswer,
    Withholding,
    kind_of,
)
from aquila.protocol.rounds.corrections import apply_acknowledgement, apply_follow_up, apply_outcomes, apply_withdrawal
from aquila.protocol.rounds.exchange import records_in_report
from aquila.protocol.rounds.round_state import (
    ColumnKey,
    EvaluationKey,
    NotesSize,
    PagesTaken,
    ReportKey,
    RoundState,
    SentNotes,
)
from aquila.protocol.submissions.caps import records_for
from aquila.protocol.submissions.column_sizes import PLANNED_QUERIES, most_tags
from aquila.records.rules import InputClass

Rule = Callable[[Any, RoundState, str, int | None], None]

TAKEN_BEFORE_THE_ENDING = Consent | Locks | Submission | Evaluation | Tokens
"""What goes on with a round, and is not taken when it has ended (PROTOCOL.md 3.9.5)."""

# Of very many hits.
_CERTAINTY, _LEVEL = map(attrgetter, ("certainty", "certainty.value"))


def binding_of(manifest_digest: str, consents: list[tuple[str, str]]) -> str:
    """Return the binding of a manifest and its consents (PROTOCOL.md 3.3.4).

    Args:
        manifest_digest: Digest of the manifest's payload, hexadecimal.
        consents: Party and digest of each consent's payload, in the order of the parties.
    """
    parts = [framed("consent", party.encode(), bytes.fromhex(value)) for party, value in consents]
    return digest("aquila/2 binding", bytes.fromhex(manifest_digest), *parts).hex()


def knowledge_context(manifest_digest: str, party: str, input_class: InputClass, keys: list[str]) -> bytes:
    """Return the context to which the proof of knowledge of a share is bound (PROTOCOL.md 3.3.2).

    Args:
        manifest_digest: Digest of the manifest's payload, hexadecimal.
        party: Whose consent it is.
        input_class: The share's class.
        keys: All public keys of the consent, hexadecimal: the shares by class, then the sealing key.
    """
    return framed(
        "aquila/2 share",
        bytes.fromhex(manifest_digest),
        party.encode(),
        input_class.value.encode(),
        *(bytes.fromhex(key) for key in keys),
    )


def consent_keys(consent: Consent) -> list[str]:
    """Return all public keys of a consent in the order of `knowledge_context`."""
    return [*(share.public_key for share in consent.shares), consent.sealing_key]


def check_not_ended(round_: RoundState, message: Statement) -> None:
    """Refuse what would go on with a round that has ended; what follows its hits still comes (PROTOCOL.md 3.9.5).

    Raises:
        OrderError: The round has ended.
    """
    if round_.ending and isinstance(message, TAKEN_BEFORE_THE_ENDING):
        raise OrderError(
            "round_already_ended",
            round=round_.round_id,
            party=message.party,
            outcome=round_.ending.outcome.value,
            kind=kind_of(message),
        )


def check_binding(round_: RoundState, message: BoundStatement) -> None:
    """Refuse a statement that does not name the round's binding, or is of no participant (PROTOCOL.md 3.2.3).

    Raises:
        BindingError: It names another binding.
        OrderError: The round is not open, or its signer does not take part.
    """
    if bytes.fromhex(message.binding) != round_.binding_bytes:
        raise BindingError(
            "party_binding_differs",
            round=round_.round_id,
            party=message.party,
            expected=round_.binding,
            got=message.binding,
        )
    if message.party not in round_.participants:
        raise OrderError("party_not_in_round", round=round_.round_id, party=message.party)


def check_log_head(round_: RoundState, message: Statement) -> None:
    """Refuse a statement other than a refusal that does not name what its signer saw of the matcher's log (3.2.5).

    Raises:
        MalformedError: It names no checkpoint.
    """
    if message.log_head is None and not isinstance(message, Refusal):
        raise MalformedError("log_head_missing", round=round_.round_id, party=message.party)


def apply_statement(message: Message, round_: RoundState, payload_digest: str, now: int | None) -> None:
    """Check a message against the round by its rule in `RULES`, and let it count.

    Args:
        message: A message whose signature was verified.
        round_: What is known of its round.
        payload_digest: The digest of its payload, hexadecimal.
        now: Seconds since 1970 for the deadlines; None when stored statements are read back.

    Raises:
        MalformedError: A round has no rule for such a message.
        BindingError, OrderError, CapError, ProofError, PolicyError, EquivocationError: It does not count; the round is
            unchanged.
    """
    rule = RULES.get(type(message))
    if rule is None:
        raise MalformedError("message_kind_not_of_round", kind=type(message).__name__)
    rule(message, round_, payload_digest, now)


def _consent(message: Consent, round_: RoundState, payload_digest: str, now: int | None) -> None:
    """Take a party's consent (PROTOCOL.md 3.3)."""
    # 3.3.1: it agrees to this manifest, in time, once, before the round opens.
    if message.manifest_digest != round_.manifest_digest:
        raise BindingError(
            "consented_manifest_differs",
            round=round_.round_id,
            party=message.party,
            expected=round_.manifest_digest,
            got=message.manifest_digest,
        )
    if message.party in round_.consents:
        raise EquivocationError(
            "already_consented_with_other_keys",
            round=round_.round_id,
            party=message.party,
            expected=round_.consent_digests[message.party],
            got=payload_digest,
        )
    if round_.binding:
        raise OrderError("round_joined_too_late", round=round_.round_id, party=message.party)
    _in_time(round_, now, round_.manifest.window.consent_by, "consent")
    # 3.3.7: it declares no more elements than the manifest allows.
    for input_class in InputClass:
        most, declared = (
            counts.of(input_class) for counts in (round_.manifest.caps_of(message.party), message.elements)
        )
        if declared > most:
            raise CapError(
                "consent_declares_too_much",
                round=round_.round_id,
                party=message.party,
                expected=most,
                got=declared,
                input_class=input_class.value,
            )
    # 3.3.2: each share is known to its holder; 3.3.3: and is nobody else's. The identity is no valid key.
    keys = consent_keys(message)
    known = {share.public_key for other in round_.consents.values() for share in other.shares}
    own = [share.public_key for share in message.shares]
    if known & set(own) or len(set(own)) != len(own):
        raise PolicyError("share_already_used", party=message.party)
    for share in message.shares:
        context = knowledge_context(round_.manifest_digest, message.party, share.input_class, keys)
        verify_knowledge(round_.group, bytes.fromhex(share.public_key), context, bytes.fromhex(share.proof))
    # 3.3.2: notes can be sealed to it. Whoever could not be told anything would be found out only after a hit.
    seal_to(bytes.fromhex(message.sealing_key), b"", b"")
    round_.consents[message.party] = message
    round_.consent_digests[message.party] = payload_digest


def _opening(message: Opening, round_: RoundState, _digest: str, _now: int | None) -> None:
    """Take the matcher's opening, recomputing the binding from consents that this record verified (3.3.4)."""
    if round_.binding or round_.ending:
        raise OrderError("round_phase_already_reached", round=round_.round_id, phase=round_.phase.value)
    for reference in message.consents:
        if round_.consent_digests.get(reference.party) != reference.digest:
            raise BindingError("opening_consent_not_shown", round=round_.round_id, party=reference.party)
    binding = binding_of(round_.manifest_digest, [(c.party, c.digest) for c in message.consents])
    if binding != message.binding:
        raise BindingError("opening_binding_differs", expected=binding, got=message.binding)
    round_.binding = binding
    round_.participants = tuple(reference.party for reference in message.consents)


def _locks(message: Locks, round_: RoundState, payload_digest: str, now: int | None) -> None:
    """Take a party's halves of its locks; only its receiver can find out whether one opens (PROTOCOL.md 3.3.8)."""
    # 3.3.8: once, in time, and one half for each counterpart.
    if message.party in round_.locks:
        raise EquivocationError(
            "locks_already_signed",
            round=round_.round_id,
            party=message.party,
            expected=round_.locks_digests[message.party],
            got=payload_digest,
        )
    if [half.counterpart for half in message.halves] != sorted(round_.counterparts_of(message.party)):
        raise MalformedError("locks_not_for_counterparts", round=round_.round_id, party=message.party)
    _in_time(round_, now, round_.manifest.window.submit_by, "lock")
    round_.locks[message.party] = message
    round_.locks_digests[message.party] = payload_digest


def _submission(message: Submission, round_: RoundState, _digest: str, now: int | None) -> None:
    """Take a signed submission manifest (PROTOCOL.md 3.4)."""
    manifest = round_.manifest
    # 3.4.1: after its party's Locks; one list per party and round; queries where the manifest allows them; an id is
    #        used once.
    if message.party not in round_.locks:
        raise OrderError("submission_before_locks", round=round_.round_id, party=message.party)
    if message.kind is Kind.QUERY and manifest.mode is not Mode.LISTS_AND_QUERIES:
        raise PolicyError("round_takes_no_queries", round=round_.round_id, party=message.party)
    asked = sum(s.party == message.party and s.kind is Kind.QUERY for s in round_.submissions.values())
    if message.kind is Kind.QUERY and asked >= PLANNED_QUERIES:
        raise PolicyError("round_queries_used_up", round=round_.round_id, party=message.party, expected=PLANNED_QUERIES)
    if message.kind is Kind.LIST and round_.list_of(message.party):
        raise EquivocationError("list_already_submitted", round=round_.round_id, party=message.party)
    if message.submission_id in round_.submissions:
        raise EquivocationError("submission_id_taken", submission=message.submission_id, party=message.party)
    # 3.4.2: in time.
    window = manifest.window
    _in_time(round_, now, window.submit_by if message.kind is Kind.LIST else window.closes_at, "submission")
    # 3.4.3: chunks keep to the manifest's size, and all submissions together to what the party declared.
    if any(chunk.elements > manifest.chunk_elements for chunk in message.chunks):
        raise MalformedError(
            "chunk_too_large",
            submission=message.submission_id,
            expected=manifest.chunk_elements,
            got=max(chunk.elements for chunk in message.chunks),
        )
    for input_class in InputClass:
        total = spent(round_, message.party, input_class) + message.elements.of(input_class)
        cap = round_.cap_of(message.party, input_class)
        if total > cap:
            raise CapError(
                "party_element_cap_exceeded",
                round=round_.round_id,
                party=message.party,
                expected=cap,
                got=total,
                input_class=input_class.value,
            )
    round_.submissions[message.submission_id] = message


def spent(round_: RoundState, party: str, input_class: InputClass) -> int:
    """Return how many elements of a class a party's submissions hold so far, padding included."""
    return sum(s.elements.of(input_class) for s in round_.submissions.values() if s.party == party)


def _evaluation(message: Evaluation, round_: RoundState, _digest: str, _now: int | None) -> None:
    """Take the statement of an evaluation; the proof itself is checked by the origin (PROTOCOL.md 3.5)."""
    # 3.5.1: it is of a known submission of the origin it names, by a party with whom it may be compared.
    submission = submission_of(round_, message.submission_id, message.origin)
    if message.party == message.origin:
        raise OrderError("own_elements_not_evaluated_here", party=message.party)
    if message.party not in round_.evaluators_of(message.submission_id):
        raise PolicyError("counterpart_not_matchable", party=message.party, counterpart=message.origin)
    if message.party not in round_.locks:
        raise OrderError("pair_without_locks", round=round_.round_id, listed=message.party)
    # 3.5.2: chunk, class, size and input are those that the origin signed.
    if message.index >= len(submission.chunks):
        raise MalformedError("chunk_unknown", submission=message.submission_id, chunk=message.index)
    chunk = submission.chunks[message.index]
    signed = (chunk.input_class, chunk.elements, chunk.digest)
    if (message.input_class, message.elements, message.input_digest) != signed:
        raise BindingError(
            "evaluated_chunk_differs",
            round=round_.round_id,
            party=message.party,
            submission=message.submission_id,
            chunk=message.index,
            origin=message.origin,
        )
    # 3.5.3: once.
    key = EvaluationKey(message.submission_id, message.index, message.party)
    if key in round_.evaluations:
        raise EquivocationError(
            "chunk_already_evaluated_otherwise",
            party=message.party,
            submission=message.submission_id,
            chunk=message.index,
        )
    round_.evaluations[key] = message


def submission_of(round_: RoundState, submission_id: str, party: str) -> Submission:
    """Return a party's submission; raises OrderError if the round knows no such submission of this party."""
    submission = round_.submissions.get(submission_id)
    if submission is None or submission.party != party:
        raise OrderError("submission_unknown_of_party", submission=submission_id, party=party)
    return submission


def _tokens(message: Tokens, round_: RoundState, _digest: str, _now: int | None) -> None:
    """Take the statement of the tokens of a submission's column for one counterpart (PROTOCOL.md 3.6)."""
    # 3.6.2: of a submission of its own, for somebody with whom it may be compared, once, one row for each element.
    submission, column = submission_of(round_, message.submission_id, message.party), message.column
    key = ColumnKey(message.submission_id, column.counterpart)
    if key.counterpart not in round_.counterparts_of(message.party):
        raise PolicyError("counterpart_not_matchable", party=message.party, counterpart=key.counterpart)
    if key in round_.tokens:
        raise EquivocationError(
            "tokens_already_sent", submission=message.submission_id, party=message.party, counterpart=key.counterpart
        )
    elements = [chunk.elements for chunk in submission.chunks]
    if [chunk.rows for chunk in column.chunks] != elements:
        raise MalformedError(
            "token_row_count_differs",
            submission=message.submission_id,
            expected=sum(elements),
            got=sum(chunk.rows for chunk in column.chunks),
            party=message.party,
            counterpart=key.counterpart,
        )
    # 3.6.2: as many rows under each rule as every other column of the submission.
    others = (round_.tokens.get(key._replace(counterpart=one)) for one in round_.counterparts_of(message.party))
    if any(other is not None and other.column.rules != column.rules for other in others):
        raise MalformedError("token_columns_differ", submission=message.submission_id, party=message.party)
    # 3.6.4: after the counterpart has signed its list.
    check_list(round_, key.counterpart)
    # 3.6.3: after every evaluation by the counterpart.
    missing = missing_evaluations(round_, *key) if round_.sees_everything else []
    if missing:
        raise OrderError(
            "tokens_before_evaluations", submission=message.submission_id, party=message.party, count=len(missing)
        )
    # 3.7.12: a query's tags rest on those of the two lists.
    lists = ReportKey(message.party, key.counterpart, None)
    if submission.kind is Kind.QUERY and not round_.can_be_joined(lists):
        raise OrderError("query_tokens_before_lists", round=round_.round_id, party=message.party)
    records = min(submission.records, records_for(round_.consents[message.party].elements))
    most = most_tags(round_.manifest.mode, submission.kind, records)
    if sum(piece.tags for piece in column.pieces) > most:
        raise MalformedError("shadow_column_too_long", party=message.party, expected=most)
    round_.tokens[key] = message


def check_list(round_: RoundState, counterpart: str) -> None:
    """Refuse tokens for a party without a list: nobody may fit its own to what was sent (PROTOCOL.md 3.6.4).

    Raises:
        OrderError: It has signed none.
    """
    if round_.list_of(counterpart) is None:
        raise OrderError("tokens_before_list", round=round_.round_id, listed=counterpart)


def missing_evaluations(round_: RoundState, submission_id: str, evaluator: str) -> list[int]:
    """Return the chunks of a submission that a party has not evaluated yet."""
    chunks = range(len(round_.submissions[submission_id].chunks))
    return [i for i in chunks if EvaluationKey(submission_id, i, evaluator) not in round_.evaluations]


def _report(message: HitReport, round_: RoundState, payload_digest: str, _now: int | None) -> None:
    """Take the matcher's report to one party (PROTOCOL.md 3.7)."""
    key = ReportKey.of(message)
    if bytes.fromhex(message.binding) != round_.binding_bytes:
        raise BindingError("report_binding_differs", expected=round_.binding, got=message.binding)
    if message.party not in round_.participants:
        raise OrderError("report_party_outside_round", party=message.party)
    # 3.7.1: it is of a pair that may be matched, and comes after the tokens of both columns.
    if not round_.compares(key):
        raise PolicyError("report_pair_not_matchable", party=message.party)
    if not round_.can_be_joined(key):
        raise OrderError("report_before_tokens", round=round_.round_id, party=key.party, counterpart=key.counterpart)
    # 3.7.13.2: a list's owner is told of an asker's queries in their order; each check rests on those before it.
    #            A matcher knows its own order, and forgets reports that were acknowledged.
    if message.submission_id is not None and not round_.sees_everything and _earlier_untold(round_, key):
        raise OrderError("report_before_earlier_query", submission=message.submission_id, party=message.party)
    _not_refused(round_, key)
    _no_weaker(round_, message)
    _size_as_signed(message, round_)
    before = _pages_before(message, round_, key)
    hits = before.hits + Counter(map(_LEVEL, message.hits))
    if message.page is not None and not message.page.is_last:
        last = message.bounds[1]
        round_.report_pages[key] = PagesTaken(before.taken + 1, message.page.pages, message.basis, hits, last)
        return
    round_.report_pages.pop(key, None)
    round_.reports[key] = payload_digest
    round_.reported[key] = LevelCounts.of(hits)
    round_.met[key] = message.basis.met.digest if message.basis.met else None


def _earlier_untold(round_: RoundState, report: ReportKey) -> bool:
    """Return whether a list's owner lacks its report of a query that the same asker sent tokens of before."""
    is_owner = round_.submissions[report.submission_id or ""].party != report.party
    _lists, *queries = round_.rests_on(report)
    return is_owner and any(one not in round_.reports for one in queries)


def _size_as_signed(message: HitReport, round_: RoundState) -> None:
    """Refuse a report that was graded on another size than was signed (PROTOCOL.md 3.7.3)."""
    signed = records_in_report(round_, message.counterpart, message.submission_id)
    if message.basis.records != signed:
        raise MalformedError(
            "report_list_size_differs",
            round=round_.round_id,
            party=message.party,
            expected=signed,
            got=message.basis.records,
            counterpart=message.counterpart,
        )


def _pages_before(message: HitReport, round_: RoundState, key: ReportKey) -> PagesTaken:
    """Return the part of a report before this message, which has to be its next page (PROTOCOL.md 3.7.17)."""
    page, before = message.page, round_.report_pages.get(key)
    expected = before.taken if before else 0
    if key in round_.reports or (page.number if page else 0) != expected:
        raise OrderError("report_page_out_of_order", round=round_.round_id, party=message.party)
    if page is None:
        return PagesTaken(0, 1, message.basis, Counter(), "")
    before = before or PagesTaken(0, page.pages, message.basis, Counter(), "")
    if (page.pages, message.basis) != (before.pages, before.basis) or message.bounds[0] <= before.last:
        raise MalformedError("report_pages_differ", round=round_.round_id, party=message.party)
    return before


def _not_refused(round_: RoundState, report: ReportKey) -> None:
    """Refuse a report to a query's asker of an answer that the list's owner refused (3.7.16)."""
    if round_.withheld.get(report.other_side) is Withholding.REFUSED:
        raise PolicyError(
            "report_of_refused_answer", round=round_.round_id, party=report.party, counterpart=report.counterpart
        )


def _no_weaker(round_: RoundState, message: HitReport) -> None:
    """Refuse a report with hits that are less sure than the round reports (3.7.15)."""
    if any(level < round_.manifest.minimum_certainty for level in set(map(_CERTAINTY, message.hits))):
        raise PolicyError(
            "report_hits_below_least_certainty",
            round=round_.round_id,
            party=message.party,
            expected=round_.manifest.minimum_certainty.value,
        )


def _receipt(message: Receipt, round_: RoundState, _digest: str, _now: int | None) -> None:
    """Take a party's receipt of its report (PROTOCOL.md 3.7.4)."""
    key = ReportKey.of(message)
    if round_.reports.get(key) != message.report_digest:
        raise BindingError("acknowledged_report_not_sent", party=message.party)
    if round_.is_refused(key):
        raise OrderError("receipt_of_refused_answer", party=message.party)
    round_.receipts[key] = message


def _notes(message: Notes, round_: RoundState, payload_digest: str, now: int | None) -> None:
    """Store a batch of sealed notes; only their receiver can find out whether they open (PROTOCOL.md 3.7.6)."""
    if message.to not in round_.counterparts_of(message.party):
        raise PolicyError("notes_pair_not_matchable", party=message.party)
    # 3.7.6: both sides were told of the hits before; each batch comes once.
    sent = SentNotes(message.party, message.to, message.submission_id, message.index)
    if round_.sees_everything and not {sent.report, sent.report.other_side} <= round_.reports.keys():
        raise OrderError("notes_before_reports", round=round_.round_id, party=message.party)
    if round_.has_notes(sent):
        raise EquivocationError("batch_already_sent", party=message.party)
    _in_time(round_, now, round_.notes_expire, "note")
    round_.keep_notes(payload_digest, sent, NotesSize(message.sequence, message.hits))


def _confirmation(message: Confirmation, round_: RoundState, _digest: str, now: int | None) -> None:
    """Take what a party found in a batch of notes that was sent to it (PROTOCOL.md 3.7.8)."""
    sent = round_.notes.get(message.notes)
    # A party's own record may lack its own notes, which the matcher deletes when they are collected.
    if sent is None and round_.sees_everything:
        raise OrderError("confirmed_notes_not_sent", party=message.party)
    if sent is not None and (sent.to, sent.party, sent.submission_id) != (
        message.party,
        message.to,
        message.submission_id,
    ):
        raise BindingError("confirmed_notes_for_another_party", party=message.party)
    if message.notes in round_.confirmations:
        raise EquivocationError("notes_already_confirmed", party=message.party)
    # 3.7.8: it is what shows everyone else how many notes there are, and under which number of their sender.
    size = NotesSize(message.notes_sequence, message.confirmed + len(message.refuted))
    if round_.notes_sizes.get(message.notes, size) != size:
        raise MalformedError("confirmed_notes_of_another_size", party=message.party)
    _in_time(round_, now, round_.notes_expire, "confirmation")
    round_.confirmations[message.notes] = message


def _checked(message: ReportCheck, round_: RoundState, _digest: str, _now: int | None) -> None:
    """Take what a party found when it checked its report (PROTOCOL.md 3.7.13 and 3.7.13.2)."""
    key, query = ReportKey.of(message), message.submission_id
    if not round_.compares(key):
        raise PolicyError("report_pair_not_matchable", party=message.party)
    if not round_.can_be_joined(key):
        raise OrderError("checked_before_tokens", round=round_.round_id, party=message.party)
    if key in round_.checked:
        raise EquivocationError("report_already_checked", party=message.party)
    # The owner says nothing before the asker has its report: the digest of what met tells whether there are hits. Nor
    # is there anything to say of an answer that was refused.
    is_owner = query is not None and round_.submissions[query].party != message.party
    if round_.is_refused(key) or (is_owner and key.other_side not in round_.checked):
        raise OrderError("query_checked_before_asker", submission=query or "", party=message.party)
    # A party knows its own reports alone. The matcher takes no check before the report itself: an asker whose answer is
    # held, and says that it checked it, would be told by the owner's check.
    untold = None if round_.sees_everything else message.report_digest
    if round_.reports.get(key, untold) != message.report_digest:
        raise BindingError("told_report_not_sent", party=message.party)
    round_.checked[key] = message


def _alarm(message: Alarm, round_: RoundState, _digest: str, _now: int | None) -> None:
    """Take the word of a list's owner that a query hit it far too often (PROTOCOL.md 3.7.14)."""
    query = round_.submissions.get(message.submission_id)
    if query is None or query.kind is not Kind.QUERY or query.party == message.party:
        raise OrderError("alarm_query_of_another_party", submission=message.submission_id)
    key = ReportKey(message.party, query.party, message.submission_id)
    if key in round_.alarms or key in round_.receipts:
        raise OrderError("alarm_or_report_already_answered", party=message.party)
    if round_.reports.get(key) != message.report_digest:
        raise BindingError("told_report_not_sent", party=message.party)
    round_.alarms[key] = message


def _withheld_answer(message: WithheldAnswer, round_: RoundState, _digest: str, _now: int | None) -> None:
    """Take the word of a list's owner to a query's asker that its answer is on hold or refused (PROTOCOL.md 3.7.16)."""
    query = round_.submissions.get(message.submission_id)
    if query is None or query.kind is not Kind.QUERY or message.party not in round_.counterparts_of(query.party):
        raise OrderError("withheld_answer_query_not_answered_here", submission=message.submission_id)
    key = ReportKey(message.party, query.party, message.submission_id)
    # It is said before the asker's report, and in place of the receipt, which only the matcher sees.
    if key.other_side in round_.reports or key in round_.receipts:
        raise OrderError("withheld_answer_too_late", submission=message.submission_id, party=message.party)
    # On hold comes first, after the alarm, which the asker is not shown; refused comes once, after it.
    before = None if message.state is Withholding.ON_HOLD else Withholding.ON_HOLD
    if round_.withheld.get(key) is not before or (round_.sees_everything and key not in round_.alarms):
        raise OrderError("withheld_answer_out_of_order", submission=message.submission_id, party=message.party)
    round_.withheld[key] = message.state


def _closing(message: Closing, round_: RoundState, _digest: str, _now: int | None) -> None:
    """Take a party's statement that its keys are destroyed (PROTOCOL.md 3.9)."""
    if message.binding != (round_.binding or None):
        raise BindingError("closing_of_another_round", round=round_.round_id, party=message.party)
    # Only the matcher sees every receipt; a party is not shown those of others.
    if round_.sees_everything and round_.ending is None and not round_.has_its_hits(message.party):
        raise OrderError("closing_before_hits", round=round_.round_id, party=message.party)
    round_.closings[message.party] = message


def _refusal(message: Refusal, round_: RoundState, _digest: str, _now: int | None) -> None:
    """Take a party's refusal to go on (PROTOCOL.md 3.9)."""
    round_.refusals[message.party] = message


def _ending(message: Ending, round_: RoundState, _digest: str, _now: int | None) -> None:
    """Take the matcher's ending of the round (PROTOCOL.md 3.9)."""
    # A party may have no report of its own; only the matcher knows of all.
    is_reported = bool(round_.reports if round_.sees_everything else round_.binding)
    if message.outcome is Outcome.CLOSED and not is_reported:
        raise OrderError("round_closed_before_reports")
    round_.ending = message


def _in_time(round_: RoundState, now: int | None, deadline: int, what: str) -> None:
    """Refuse a step after its deadline; `now` is None when stored statements are read back."""
    if now is not None and now > deadline:
        raise OrderError("statement_time_over", round=round_.round_id, expected=deadline, got=now, what=what)


RULES: Mapping[type[Message], Rule] = {
    Consent: _consent,  # 3.3
    Opening: _opening,  # 3.3.4, by the matcher
    Locks: _locks,  # 3.3.8
    Submission: _submission,  # 3.4
    Evaluation: _evaluation,  # 3.5
    Tokens: _tokens,  # 3.6
    HitReport: _report,  # 3.7, by the matcher
    ReportCheck: _checked,  # 3.7.13
    Alarm: _alarm,  # 3.7.14
    WithheldAnswer: _withheld_answer,  # 3.7.16
    Receipt: _receipt,  # 3.7.4
    Notes: _notes,  # 3.7.6
    Confirmation: _confirmation,  # 3.7.8
    Refusal: _refusal,  # 3.9.1
    Ending: _ending,  # 3.9.1, by the matcher
    Closing: _closing,  # 3.9.2
    Withdrawal: apply_withdrawal,  # 3.11.1
    Acknowledgement: apply_acknowledgement,  # 3.11.3
    Outcomes: apply_outcomes,  # 3.11.4
    FollowUp: apply_follow_up,  # 3.11.6
}
"""The rule of each message that a round takes, in the order in which a round meets them; there are no others."""
