"""Entries of a log as a story: one sentence a step, and what is alike in one line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from aquila.audit.entries import Entry, EntryKind
from aquila.interface.log import NumberedEntry
from clients.web.i18n.languages import Language, n_
from clients.web.text.labels import PARTIES, ROLES

QUIET = frozenset({EntryKind.SIGN_IN, EntryKind.SIGN_OUT, EntryKind.LOG_CONSULTED, EntryKind.CONSULTATION})
"""Kinds that are told in one line where several follow each other: sign-ins and looks."""

_PARTS = frozenset({EntryKind.EVALUATION, EntryKind.LOCKS, EntryKind.TOKENS, EntryKind.DISCLOSURE})
"""Kinds of which one act of a party has many, a part each."""

SENTENCES = {
    EntryKind.IMPORT: n_("%(who)s imported a list."),
    EntryKind.ERASURE: n_("%(who)s erased a record or a list."),
    EntryKind.PROPOSAL: n_("%(who)s proposed the round."),
    EntryKind.DISCOVERY: n_("%(who)s received the proposal of the round."),
    EntryKind.CONSENT: n_("%(who)s consented to the round."),
    EntryKind.OPENING: n_("%(who)s opened the round."),
    EntryKind.LOCKS: n_("%(who)s sent the keys for each counterpart."),
    EntryKind.STANDING_QUERY: n_("%(who)s changed the state of a standing query."),
    EntryKind.SUBMISSION: n_("%(who)s announced a list or a query, with its reason."),
    EntryKind.EVALUATION: n_("%(who)s evaluated inputs of %(other)s."),
    EntryKind.TOKENS: n_("%(who)s sent tokens."),
    EntryKind.MATCH: n_("%(who)s compared %(left)s with %(right)s."),
    EntryKind.REPORT: n_("%(who)s sent a report to %(other)s."),
    EntryKind.RECEIPT: n_("%(who)s acknowledged the report on hits with %(other)s."),
    EntryKind.REFUSAL: n_("%(who)s refused the round."),
    EntryKind.END_ASKED: n_("%(who)s asked for the end of the round."),
    EntryKind.REMINDER: n_("%(who)s reminded %(other)s of a step of the round."),
    EntryKind.ENDING: n_("%(who)s ended the round."),
    EntryKind.KEY_DESTRUCTION: n_("%(who)s destroyed the keys of the round."),
    EntryKind.CLOSING: n_("%(who)s stated that the keys are destroyed."),
    EntryKind.EVIDENCE: n_("%(who)s kept two contradicting statements of %(other)s as evidence."),
    EntryKind.CONSULTATION: n_("%(who)s looked at hits or records."),
    EntryKind.DISCLOSURE: n_("%(who)s sent sealed notes to %(other)s."),
    EntryKind.NOTE_RECEIVED: n_("%(who)s acknowledged the sealed notes of %(other)s."),
    EntryKind.HIT_CONFIRMED: n_("%(who)s recorded that both sides confirmed a hit."),
    EntryKind.HIT_REFUTED: n_("%(who)s recorded that the sealed notes refute a hit."),
    EntryKind.HIT_ACKNOWLEDGED: n_("%(who)s took up a hit."),
    EntryKind.HIT_DECIDED: n_("%(who)s decided on hits."),
    EntryKind.FOLLOW_UP: n_("%(who)s recorded a step of a follow-up."),
    EntryKind.FOLLOW_UP_CLOSED: n_("%(who)s closed a hit."),
    EntryKind.EXPORT: n_("%(who)s exported hits or a request."),
    EntryKind.EXPORT_PERMITTED: n_("%(who)s recorded a permission to export."),
    EntryKind.WITHDRAWAL: n_("%(who)s withdrew hits with %(other)s."),
    EntryKind.WITHDRAWAL_ACKNOWLEDGED: n_("%(who)s acknowledged that %(other)s withdrew hits."),
    EntryKind.OUTCOME: n_("%(who)s stated in numbers how hits ended."),
    EntryKind.FOLLOW_UP_TOLD: n_("%(who)s told %(other)s how follow-ups stand."),
    EntryKind.CHECKED: n_("%(who)s checked the report on hits with %(other)s for hits that were left out."),
    EntryKind.HITS_LEFT_OUT: n_("%(who)s found that hits were left out."),
    EntryKind.FISHING_ALARM: n_("%(who)s holds a report back: there are more hits than the lists explain."),
    EntryKind.ALARM_RELEASED: n_("%(who)s released a report after an alarm."),
    EntryKind.ANSWER_WITHHELD: n_("%(who)s withholds the answer to a query."),
    EntryKind.ANSWER_REFUSED: n_("%(who)s refused to answer a query."),
    EntryKind.SUBMISSION_REFUSED: n_("%(who)s refused to prepare a submission that was asked for."),
    EntryKind.STATEMENT_REFUSED: n_("%(who)s did not take a statement of %(other)s."),
    EntryKind.APPROVAL_REQUESTED: n_("%(who)s asked for the approval of a second person."),
    EntryKind.APPROVED: n_("%(who)s approved what another person asked for."),
    EntryKind.APPROVAL_DENIED: n_("%(who)s did not approve what was asked for."),
    EntryKind.SIGN_IN: n_("%(who)s signed in."),
    EntryKind.SIGN_IN_FAILED: n_("%(who)s: a sign-in failed."),
    EntryKind.SIGN_OUT: n_("%(who)s signed out."),
    EntryKind.ACCOUNT_LOCKED: n_("%(who)s: an account was locked after failed sign-ins."),
    EntryKind.ACCOUNT_CHANGED: n_("%(who)s changed an account."),
    EntryKind.PARTY_INVITED: n_("%(who)s invited a party."),
    EntryKind.REGISTRY_CHANGED: n_("%(who)s changed the registry."),
    EntryKind.REGISTRY_ACCEPTED: n_("%(who)s accepted the registry."),
    EntryKind.KEY_REPLACED: n_("%(who)s recorded that the identity key of %(other)s was replaced."),
    EntryKind.LOG_ALARM: n_("%(who)s found that the log of %(other)s was rewritten."),
    EntryKind.ALARM_ACKNOWLEDGED: n_("%(who)s let work go on after an alarm over a log."),
    EntryKind.LOG_CONSULTED: n_("%(who)s looked at the log."),
    EntryKind.LOG_EXPORTED: n_("%(who)s exported the log."),
    EntryKind.LOG_PRUNED: n_("%(who)s erased contents of the log whose time was over."),
    EntryKind.SUBJECT_ANSWERED: n_("%(who)s answered a person's request."),
    EntryKind.REPORT_SIGNED: n_("%(who)s signed a report for publication."),
    EntryKind.BACKUP: n_("%(who)s made a backup."),
    EntryKind.MAINTENANCE: n_("%(who)s maintained the service."),
}
_MATCHER = n_("the matcher")


def entry_sentence(entry: Entry, language: Language) -> str:
    """Return what happened in one sentence: who, in which role, did what, and with whom."""

    def named(code: object) -> str:
        name = PARTIES.get(str(code), "")
        return f"{language.say(name)} ({code})" if name else language.say(_MATCHER) if code == "matcher" else str(code)

    who = named(entry.party)
    if entry.role:
        role = language.say(ROLES.get(entry.role, entry.role))
        who = f"{who[:-1]}, {role})" if who.endswith(")") else f"{who} ({role})"
    names = {"left": named(entry.ids.get("left", "")), "right": named(entry.ids.get("right", ""))}
    text = language.say(SENTENCES[entry.kind], who=who, other=named(entry.recipient or ""), **names)
    return text[0].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One line: an entry, or several alike that follow each other."""

    entries: Sequence[NumberedEntry]
    quiet: bool
    """Whether they are sign-ins and looks."""

    @property
    def one(self) -> NumberedEntry:
        """The entry, or the first of several."""
        return self.entries[0]

    @property
    def ends(self) -> tuple[int, int]:
        """The earliest and the latest time of its entries, in seconds since 1970."""
        times = [item.entry.time for item in self.entries if item.entry]
        return min(times, default=0), max(times, default=0)


def folded(entries: Iterable[NumberedEntry], apart: EntryKind | None = None) -> Iterator[StoryLine]:
    """Yield the lines of a story.

    Args:
        entries: In their order, either way.
        apart: A kind that was asked for: each of its entries has a line of its own.
    """
    for (like, _), group in groupby(entries, lambda item: _alike(item, apart)):
        yield StoryLine(tuple(group), like == "quiet")


def _alike(item: NumberedEntry, apart: EntryKind | None) -> tuple[str, object]:
    """Return what entries of one line have in common; an entry that has a line of its own has its number."""
    entry = item.entry
    if entry is not None and entry.kind is not apart:
        if entry.kind in QUIET:
            return "quiet", None
        if entry.kind in _PARTS:
            return entry.kind.value, (entry.party, entry.recipient, item.signature)
    return "", item.index
