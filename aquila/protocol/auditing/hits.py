"""Check 10: matches, reports, receipts, checks and notes, pair by pair and level by level (PROTOCOL.md 10.6).

The matcher alone says what was matched and reported. Receipts are what shows it: each says how many hits of each level
its party was told of. Notes are shown by the confirmation of their receiver: how many there
are, and under which number they were sent. Of hits that were left out each party signed what it found, and of which
tags; a check that names others than the match contradicts it. What none of these shows is not proven: it explains
nothing, and blames nobody.
"""

from collections import Counter
from collections.abc import Iterator

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.statistics import LEVELS
from aquila.errors import AuditError
from aquila.protocol.auditing.log_record import UnprovenClaim
from aquila.protocol.auditing.round_audit import RoundAudit
from aquila.protocol.messages import Kind, LevelCounts, Outcome, Withholding
from aquila.protocol.rounds.round_state import ColumnKey, NotesSize, ReportKey, RoundState, SentNotes
from aquila.protocol.rounds.rules import missing_evaluations
from aquila.protocol.shadow.checks import FAULTS, agree
from aquila.protocol.shadow.meeting import have_one_key
from aquila.sentences import Sentence


def take_match(audit: RoundAudit, index: int, entry: Entry) -> None:
    """Take how many hits of a pair there are by an entry.

    Raises:
        AuditError: The pair was matched before, or may not be.
    """
    left, right, query = str(entry.ids["left"]), str(entry.ids["right"]), query_of(entry)
    if (left, right, query) in audit.matched or not audit.round.manifest.may_match(left, right):
        raise AuditError("entry_pair_wrongly_matched", round=audit.round.round_id, index=index, left=left, right=right)
    audit.matched[left, right, query] = Counter({level: entry.counts[level] for level in LEVELS})
    met = audit.met[left, right, query] = entry.digests.get("met")
    report = ReportKey(left, right, query)
    audit.round.met |= {report: met, report.other_side: met}


def take_report(audit: RoundAudit, index: int, entry: Entry) -> None:
    """Take what the entry of a report tells: its pair and party, its hits by level, and the digest for its receipt.

    Raises:
        AuditError: It is not due, or its numbers contradict each other.
    """
    round_, party, query = audit.round, str(entry.recipient), query_of(entry)
    place = {"round": round_.round_id, "index": index, "party": party}
    key = ReportKey(party, str(entry.ids.get("counterpart")), query)
    is_due = round_.compares(key) and round_.can_be_joined(key)
    if not is_due or round_.withheld.get(key.other_side) is Withholding.REFUSED:
        raise AuditError("entry_report_not_due", **place)
    if not audit.left_out and _is_before_receipt(round_, key):
        # 3.7.4: the ending alone gives it, but for those over which an alarm stands, or whose owner has closed.
        if round_.ending or key.other_side in round_.alarms or key.counterpart in round_.closings:
            raise AuditError("entry_report_not_due", **place)
        audit.told_with_ending = index, party
    if key in audit.reported:
        raise AuditError("entry_report_sent_twice", **place)
    levels = Counter({level: entry.counts[level] for level in LEVELS})
    if levels.total() != entry.counts["hits"]:
        raise AuditError(
            "entry_report_hits_differ", **place, what="hits", expected=levels.total(), got=entry.counts["hits"]
        )
    # 3.7.17: a report is there with its last page; the receipt names that one's digest and all hits.
    page, pages = entry.counts.get("page", 0), entry.counts.get("pages", 1)
    taken, before = audit.pages.pop(key, (0, Counter()))
    if page != taken or not page < pages:
        raise AuditError("entry_report_page_out_of_order", **place)
    levels += before
    if page + 1 < pages:
        audit.pages[key] = page + 1, levels
        return
    round_.reports[key] = entry.digests["statement"]
    round_.reported[key] = LevelCounts.of(levels)
    audit.reported[key] = levels


def _is_before_receipt(round_: RoundState, report: ReportKey) -> bool:
    """Return whether a report is a query's for its asker, and the owner of the list has not acknowledged its own."""
    query = report.submission_id
    is_asker = query is not None and round_.submissions[query].party == report.party
    return is_asker and report.other_side not in round_.receipts


def check_told_with_ending(audit: RoundAudit) -> None:
    """Refuse what stands between a report that its asker got before its owner's receipt and the ending.

    Raises:
        AuditError: The matcher gave the report before the ending.
    """
    if audit.told_with_ending is not None:
        index, party = audit.told_with_ending
        raise AuditError("entry_report_not_due", round=audit.round.round_id, index=index, party=party)


def take_notes(audit: RoundAudit, index: int, entry: Entry) -> None:
    """Take what is kept of a batch of notes: from whom, to whom, how many, and the digest that its confirmation names.

    Raises:
        AuditError: They are not due, or were sent before.
    """
    round_, sender, receiver, query = audit.round, entry.party, str(entry.recipient), query_of(entry)
    place = {"round": round_.round_id, "index": index, "sender": sender}
    sent = SentNotes(sender, receiver, query, entry.counts["batch"])
    if not {sent.report, sent.report.other_side} <= audit.reported.keys():
        raise AuditError("entry_notes_not_due", **place, receiver=receiver)
    if round_.has_notes(sent):
        raise AuditError("entry_batch_sent_twice", **place)
    digest, number = entry.digests["statement"], entry.counts["sequence"]
    round_.keep_notes(digest, sent, NotesSize(number, entry.counts["notes"]))
    audit.numbers_of(sender).add_unseen(index, entry, digest)
    round_.sequences.setdefault(sender, {})[number] = digest
    audit.last_words[sender] = index


def check_hits(audit: RoundAudit) -> Iterator[UnprovenClaim]:
    """Compare matches and reports, whose hits receipts have (9); yield the points without a receipt.

    Raises:
        AuditError: They contradict each other.
    """
    if not audit.reported:
        return
    _check_due(audit)
    _check_reports(audit)
    is_aborted = _has_ended(audit, Outcome.ABORTED)
    for left, right, query in audit.matched:
        report = ReportKey(left, right, query)
        if not {report, report.other_side} & audit.round.receipts.keys():
            code = "hits_of_aborted_round" if is_aborted else "hits_not_acknowledged"
            yield claim(audit, "hits", code, left=left, right=right, of_query=words(query))
    for key in sorted(set(audit.reported) - set(audit.round.receipts), key=str):
        yield claim(
            audit,
            "report",
            "report_of_aborted_round" if is_aborted else "report_not_acknowledged",
            key.party,
            audit.round.reports[key],
            party=key.party,
            other=key.counterpart,
            of_query=words(key.submission_id),
        )


def check_left_out(audit: RoundAudit) -> Iterator[UnprovenClaim]:
    """Compare both sides' checks of each pair with its match; yield the pairs that are not checked.

    Of an answer to a query that its asker has no report of nobody says anything.

    Raises:
        AuditError: A party signed that other tags met than the match says.
    """
    round_ = audit.round
    for (left, right, query), met in audit.met.items():
        found, report, of_query = [], ReportKey(left, right, query), words(query)
        sides = (report, report.other_side)
        told = {side for side in sides if side in audit.reported}
        if query is not None and not any(side.party == round_.submissions[query].party for side in told):
            continue
        for side in sides:
            party, other, _ = side
            said = round_.checked.get(side)
            if said is None:
                yield claim(audit, "not_checked", "pair_not_checked", party=party, other=other, of_query=of_query)
                continue
            if said.met != met:
                raise AuditError(
                    "round_pair_tags_differ",
                    what="pair_tags",
                    round=round_.round_id,
                    round_id=round_.round_id,
                    party=party,
                    other=other,
                )
            found.append(said)
            if said.fault is not None:
                why = Sentence.of(FAULTS[said.fault])
                yield claim(
                    audit, "hits_left_out", "pair_left_out", party=party, other=other, why=why, of_query=of_query
                )
        one_key = have_one_key(round_, left, right, query)
        if [one.fault for one in found] == [None, None] and not (agree(*found) and one_key):
            yield claim(audit, "checks_differ", "pair_checks_differ", left=left, right=right, of_query=of_query)


def check_queries(audit: RoundAudit) -> Iterator[UnprovenClaim]:
    """Yield the answers to queries of a closed round that the asker never got and over which no owner raised an alarm.

    No answer is due to a query that was not evaluated, or of which no tokens came. Where the log left those out, only
    the log of their party shows it.
    """
    round_ = audit.round
    if not _has_ended(audit, Outcome.CLOSED):
        return
    for query, submission in sorted(round_.submissions.items()):
        if submission.kind is not Kind.QUERY:
            continue
        place, lacking = {"submission_id": query, "party": submission.party}, dict[str, list[str]]()
        for report in sorted(round_.reports_of(query)):
            is_untold = report not in audit.reported and report.other_side not in round_.alarms
            if report.party == submission.party and is_untold:
                lacking.setdefault(_lacks(round_, report), []).append(report.counterpart)
        for code, counterparts in lacking.items():
            yield claim(audit, "query", code, **place, listed=", ".join(counterparts))


def _lacks(round_: RoundState, report: ReportKey) -> str:
    """Return the sentence of what an asker's report, which never came, lacks."""
    query = report.submission_id or ""
    if ColumnKey(query, report.counterpart) in round_.tokens:
        return "query_not_answered"
    return "query_not_evaluated" if missing_evaluations(round_, query, report.counterpart) else "query_without_tokens"


def check_pairs(audit: RoundAudit) -> Iterator[UnprovenClaim]:
    """Check that of each pair of lists of a closed round both sides were told; yield pairs that were never reported.

    A pair of which a column is missing had no report: a party was away. Where both are there, what is missing may
    be their bytes, which no log has.

    Raises:
        AuditError: One side was told alone, or the round was closed while a pair or a receipt could still come.
    """
    round_, ended = audit.round, _ended_at(audit)
    has_time = ended <= round_.manifest.window.closes_at
    for report in round_.reports_of(None):
        place = {
            "round": round_.round_id,
            "round_id": round_.round_id,
            "party": report.party,
            "other": report.counterpart,
        }
        if report in audit.reported:
            if has_time and report not in round_.receipts:
                raise AuditError("round_closed_without_statement", **place, what="receipt")
        elif report.other_side in audit.reported:
            raise AuditError("round_closed_without_statement", **place, what="report")
        elif round_.can_be_joined(report):
            if report.party < report.counterpart:
                yield claim(audit, "pair", "pair_not_reported", left=report.party, right=report.counterpart)
        elif has_time and not round_.is_missed(report, ended):
            raise AuditError("round_closed_before_pair", **place)


def check_exchanged(audit: RoundAudit) -> None:
    """Check that a round that was closed before its time was over had every note on its lists' hits confirmed.

    Raises:
        AuditError: It had not.
    """
    round_ = audit.round
    if _ended_at(audit) > round_.manifest.window.closes_at:
        return
    found: Counter[tuple[str, str]] = Counter()
    for one in round_.confirmations.values():
        if one.submission_id is None:
            found[one.party, one.to] += one.confirmed + len(one.refuted)
    for (left, right, query), counts in audit.matched.items():
        for party, other in ((left, right), (right, left)):
            if query is None and found[party, other] < counts.total():
                raise AuditError(
                    "round_closed_before_confirmation",
                    round=round_.round_id,
                    round_id=round_.round_id,
                    party=party,
                    other=other,
                )


def query_of(entry: Entry) -> str | None:
    """Return the query that a report, a match or notes are of, or None for the lists."""
    return str(entry.ids["submission"]) if "submission" in entry.ids else None


def words(query: str | None) -> str:
    """Return of what something is, as sentences have it."""
    return "for the lists" if query is None else f"for the query {query}"


def _check_due(audit: RoundAudit) -> None:
    """Check that every pair that was reported was matched."""
    round_ = audit.round
    due = {(*sorted(report[:2]), report.submission_id) for report in audit.reported}
    for left, right, query in sorted(due - set(audit.matched), key=str):
        raise AuditError(
            "round_pair_not_matched",
            round=round_.round_id,
            round_id=round_.round_id,
            left=left,
            right=right,
            of_query=words(query),
        )


def _check_reports(audit: RoundAudit) -> None:
    """Check that each report has as many hits of each level as its pair."""
    round_ = audit.round
    for report, counts in audit.reported.items():
        matched = audit.matched[min(report[:2]), max(report[:2]), report.submission_id]
        for level in LEVELS:
            if counts[level] != matched[level]:
                raise AuditError(
                    "round_hit_count_differs",
                    round=round_.round_id,
                    round_id=round_.round_id,
                    party=report.party,
                    other=report.counterpart,
                    got=counts[level],
                    level=level,
                    of_query=words(report.submission_id),
                    expected=matched[level],
                )


def _ended_at(audit: RoundAudit) -> int:
    return next(entry.time for entry in audit.entries.values() if entry.kind is EntryKind.ENDING)


def _has_ended(audit: RoundAudit, outcome: Outcome) -> bool:
    return audit.round.ending is not None and audit.round.ending.outcome is outcome


def claim(
    audit: RoundAudit,
    what: str,
    code: str,
    shown_by: str | None = None,
    digest: str | None = None,
    /,
    **fields: str | Sentence,
) -> UnprovenClaim:
    """Return a point of a round that is not proven.

    Args:
        audit: The round.
        what: The kind of the point, a word.
        code: Of its sentence.
        shown_by: Whose log would show it, if any does.
        digest: The digest of the statement that would.
        fields: Of the sentence.
    """
    point = Sentence.of(code, **fields)
    sentence = Sentence.of("point_of_round", round=audit.round.round_id, point=point)
    return UnprovenClaim(what, sentence, shown_by, digest)
