"""Reports that the secretariat publishes: the figures of some days with what vouches for them, and their signature.

A person asks for a signature, and the log says who, when, and of which file. It says that a report comes from the
secretariat; that its numbers are those of the matcher, who reads them can compare with its statistics.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aquila.audit.checkpoint import parse_checkpoint, parse_note
from aquila.audit.entries import EntryKind
from aquila.audit.merkle import EMPTY_ROOT
from aquila.audit.roles import Action
from aquila.errors import InputError
from aquila.interface import statistics as forms
from aquila.protocol.published_report import PublishedReport, sign_report
from services.kit.actor import Actor
from services.kit.errors import NotFoundError
from services.kit.log.entries import CHECKPOINTS, ENTRIES
from services.kit.rounds import manifest_in
from services.matcher.context import MatcherContext
from services.matcher.statistics import Period, pictures
from services.matcher.storage.tables import RoundRow

_ENTRIES = EntryKind.PROPOSAL.value, EntryKind.MATCH.value, EntryKind.ENDING.value


def annual_report(context: MatcherContext, since: str, until: str, period: Period) -> forms.AnnualReport:
    """Return the published figures of some days, with the entries of their rounds and the head of the log."""
    found = pictures(context, period)
    context.log.own.publish()  # the head covers every entry of the rounds that are in the pictures
    log = context.log.view()
    matched = {one.round_id: one.matched_at for picture in found for one in picture.rounds}
    newest = sorted(matched, key=lambda round_id: (-matched[round_id], round_id))
    root = parse_checkpoint(parse_note(log.checkpoint.encode()).text).root if log.checkpoint else EMPTY_ROOT
    with context.store.reading("report.rounds") as session:
        rounds = tuple(_rounds(session, newest, matched, log.size))
    return forms.AnnualReport(
        since=since,
        until=until,
        pictures=found,
        rounds=rounds,
        issued_at=context.clock(),
        matcher_fingerprint=context.log.own.key.public.fingerprint,
        log_origin=log.origin,
        log_size=log.size,
        log_root=root.hex(),
        witnesses=log.witnesses,
    )


def _rounds(
    session: Session, round_ids: Sequence[str], matched: dict[str, int], size: int
) -> Iterator[forms.ReportedRound]:
    where = ENTRIES.c.round_id.in_(round_ids), ENTRIES.c.kind.in_(_ENTRIES), ENTRIES.c.index < size
    query = select(ENTRIES.c.round_id, ENTRIES.c.kind, func.min(ENTRIES.c.index), func.max(ENTRIES.c.index))
    query = query.where(*where).group_by(ENTRIES.c.round_id, ENTRIES.c.kind)
    entries = {(round_id, kind): (first, last) for round_id, kind, first, last in session.execute(query)}
    rows = select(RoundRow.round_id, RoundRow.manifest).where(RoundRow.round_id.in_(round_ids))
    manifests = {round_id: manifest_in(envelope) for round_id, envelope in session.execute(rows)}
    for round_id in round_ids:
        manifest = manifests[round_id]
        proposal, match, ending = (entries.get((round_id, kind), (None, None)) for kind in _ENTRIES)
        yield forms.ReportedRound.of_fields(
            manifest,
            parties=tuple(sorted({party for pair in manifest.pairs for party in pair})),
            matched_at=matched[round_id],
            proposal_entry=proposal[0],
            first_match_entry=match[0],
            last_match_entry=match[1],
            ending_entry=ending[0],
        )


def sign(context: MatcherContext, actor: Actor, wanted: forms.ReportToSign) -> forms.SignedReport:
    """Sign a report with the matcher's identity key; that a person published it is an entry of the log."""
    if wanted.since > wanted.until:
        raise InputError("report_days_reversed")
    own = context.log.own
    with context.store.transaction("report.sign") as session:
        note = session.scalar(select(CHECKPOINTS.c.note).where(CHECKPOINTS.c.size == wanted.log_size))
        if note is None:
            raise NotFoundError("report_checkpoint_unknown")
        report = PublishedReport.of_fields(wanted, issued_at=context.clock(), checkpoint=bytes(note).decode())
        by = (actor, Action.SIGN_REPORT)
        context.journal.log(session, EntryKind.REPORT_SIGNED, by, digests={"report": wanted.digest})
    context.wakeup.notify()
    return forms.SignedReport(envelope=sign_report(report, own.key).decode())
