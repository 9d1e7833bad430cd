"""Entries of a log as a story: one sentence a step, and what is alike in one line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from aquila.audit.entries import Entry, EntryKind
from aquila.interface.log import NumberedEntry
from clients.web.i18n.languages import Language, n_
from clients.web.text.labels import PARTIES, ROLES
from clients.web.text.log_entries import KINDS

QUIET = frozenset({EntryKind.SIGN_IN, EntryKind.SIGN_OUT, EntryKind.LOG_CONSULTED, EntryKind.CONSULTATION})
"""Kinds that are told in one line where several follow each other: sign-ins and looks."""

_PARTS = frozenset({EntryKind.EVALUATION, EntryKind.LOCKS, EntryKind.TOKENS, EntryKind.DISCLOSURE})
"""Kinds of which one act of a party has many, a part each."""

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
    text = language.say(KINDS[entry.kind][1], who=who, other=named(entry.recipient or ""), **names)
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
