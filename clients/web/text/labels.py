"""Words for what the service names by a code: phases, levels, states. Each word comes with a mark for the eye.

A mark is a class of the style sheet (`good`, `care`, `stop`, `told`, or none); the word alone tells everything.
"""

from collections.abc import Callable, Iterable
from functools import cache, partial

from markupsafe import Markup, escape

from aquila.interface.sentence import SentenceView
from aquila.protocol.submissions.caps import percent_by_names
from aquila.records.field_table import field_table
from aquila.records.person import FIELDS
from aquila.records.rules import BUILT_IN, load_rules
from aquila.sentences import Sentence
from clients.web.i18n.languages import Language, n_
from clients.web.text.log_entries import KINDS, STEPS, SUBJECT_ANSWERS, entry_fields

PRACTICE = n_("Practice. Invented persons. Nothing here is real.")
"""The mark of practice."""

PHASES = {
    "proposed": (n_("waits for consents"), "told"),
    "open": (n_("open"), "told"),
    "matching": (n_("matching"), "told"),
    "reporting": (n_("reports are out"), "good"),
    "closed": (n_("closed"), ""),
    "aborted": (n_("aborted"), "stop"),
}
DEADLINES = {
    "consent": n_("Consent by"),
    "lists": n_("Lists by"),
    "evaluation": n_("Evaluation by"),
    "end": n_("Ends at"),
}
AWAITED = {
    "consent": n_("its consent"),
    "list": n_("its list"),
    "evaluations": n_("evaluations"),
    "tokens": n_("its tokens"),
    "report": n_("its report"),
    "receipt": n_("its receipt"),
    "nothing": n_("nothing"),
}
LEVELS = {"high": (n_("high"), 3), "medium": (n_("medium"), 2), "low": (n_("low"), 1)}
FIGURES = {"1-4": n_("a small number, from 1 to 4"), "<5": n_("fewer than 5 once rounded")}
SUBMISSIONS = {
    "wished": (n_("waits to be prepared"), "told"),
    "preparing": (n_("is being prepared"), "told"),
    "submitted": (n_("is being evaluated"), "told"),
    "finalized": (n_("is being sent"), "told"),
    "tokens_sent": (n_("all is sent"), "good"),
    "failed": (n_("failed"), "stop"),
}
ANSWERS = {
    "answered": (n_("answered"), "good"),
    "awaited": (n_("awaited"), "told"),
    "on_hold": (n_("on hold"), "stop"),
    "refused": (n_("refused"), "stop"),
    "never": (n_("not answered, and will not be"), ""),
    "erased": (n_("erased after its time"), ""),
}
RULE_PARTS = {
    "name pair": n_("same given and family name"),
    "similar pair": n_("similar given and family name"),
    "name and initial": n_("similar name + initial"),
    "name and beginning": n_("similar name + beginning"),
    "same letters": n_("same consonants of the whole name"),
    "sole name": n_("the only name, similar"),
    "single beginning": n_("same beginning of a name"),
    "two initials": n_("two initials"),
    "every name of two": n_("two names, both similar"),
    "every name of three": n_("three names, all similar"),
    "every name of four": n_("four names or more, all similar"),
    "longer names": n_("three names or more on both sides"),
    "rare pair": n_("names that are rare together"),
    "whole date": n_("full date of birth"),
    "new year": n_("born on 1 January, same year"),
    "known month": n_("year and month of birth"),
    "decade": n_("day and month of birth, same decade"),
    "bare year": n_("year of birth"),
    "place of birth": n_("same place of birth"),
    "nationality": n_("same nationality"),
    "known nationality": n_("nationality known to both"),
    "document number": n_("same document number"),
    "national number": n_("same national number"),
    "telephone number": n_("same telephone number"),
    "e-mail address": n_("same e-mail address"),
    "all names": n_("all names"),
    "date": n_("full date of birth"),
}
"""A part of a match rule in a few words, by its name in the built-in tables."""
ROLES = {
    "officer": n_("officer"),
    "approver": n_("approver"),
    "analyst": n_("analyst"),
    "auditor": n_("auditor"),
    "data_protection_officer": n_("data-protection officer"),
    "administrator": n_("administrator"),
    "secretariat": n_("secretariat's officer"),
}
ENCODINGS = {
    "utf-8": n_("Unicode (UTF-8)"),
    "utf-16le": n_("Unicode (UTF-16)"),
    "utf-16be": n_("Unicode (UTF-16, big-endian)"),
    "windows-1250": n_("Latin letters of Central Europe (Windows-1250)"),
    "windows-1251": n_("Cyrillic (Windows-1251)"),
    "windows-1252": n_("Latin letters of Western Europe and Albania (Windows-1252)"),
    "windows-1253": n_("Greek (Windows-1253)"),
    "windows-1254": n_("Turkish (Windows-1254)"),
    "iso-8859-2": n_("Latin letters of Central Europe (ISO 8859-2)"),
    "iso-8859-5": n_("Cyrillic (ISO 8859-5)"),
    "ibm852": n_("Latin letters of Central Europe, in old programs (IBM 852)"),
}
LIST_FORMATS = {
    "csv": n_("CSV"),
    "ftm": n_("FollowTheMoney"),
    "xlsx": n_("Excel workbook (.xlsx)"),
    "ods": n_("LibreOffice spreadsheet (.ods)"),
}
ACCOUNTS = {
    "invited": (n_("has to enrol"), "told"),
    "active": (n_("active"), "good"),
    "locked": (n_("locked after failed sign-ins"), "care"),
    "deactivated": (n_("deactivated"), "stop"),
    "over": (n_("over"), "stop"),
}
WISHES = {
    "consent": n_("This node is about to send its consent."),
    "close": n_("This node is about to close the round."),
    "abort": n_("This node is about to leave the round."),
}
PARTIES = {
    "AL": n_("Albania"),
    "AT": n_("Austria"),
    "BA": n_("Bosnia and Herzegovina"),
    "BG": n_("Bulgaria"),
    "HR": n_("Croatia"),
    "HU": n_("Hungary"),
    "MD": n_("Moldova"),
    "ME": n_("Montenegro"),
    "MK": n_("North Macedonia"),
    "RO": n_("Romania"),
    "RS": n_("Serbia"),
    "SI": n_("Slovenia"),
    "XK": n_("Kosovo*"),
}
STAGES = {
    "new": (n_("new"), "told"),
    "replaced": (n_("replaced by a later round"), ""),
    "known": (n_("known"), ""),
    "acknowledged": (n_("taken up"), "told"),
    "decided": (n_("decided"), "care"),
    "follow_up": (n_("in follow-up"), "care"),
    "closed": (n_("closed"), ""),
    "withdrawn": (n_("withdrawn"), "stop"),
}
DECISIONS = {
    "same": n_("the same person"),
    "not_the_same": n_("not the same person"),
    "cannot_tell": n_("cannot be determined"),
}
KNOWN_PAIRS = {
    "unchanged": n_("unchanged"),
    "changed_level": n_("changed level"),
    "changed_evidence": n_("changed evidence"),
}
DECISION_BUTTONS = {"same": n_("Same person"), "not_the_same": n_("Not the same"), "cannot_tell": n_("Cannot tell")}
WHOSE = {"mine": n_("mine"), "nobody": n_("unassigned")}
SORTS = {
    "newest": n_("newest first"),
    "certainty": n_("highest certainty first"),
    "due": n_("due first"),
    "name": n_("by name"),
    "party": n_("by other party"),
}
CHANNELS = {"siena": "SIENA", "interpol": "Interpol I-24/7", "bilateral": n_("bilateral channel")}
URGENCIES = {"urgent": n_("urgent: answer within 8 hours"), "normal": n_("normal: answer within 48 hours")}
OUTCOMES = {
    "confirmed": n_("the same person, confirmed by the other party"),
    "refuted": n_("not the same person"),
    "unresolved": n_("it could not be determined"),
}
FOLLOW_UP_STATES = {
    "open": n_("open"),
    "asked": n_("has asked"),
    "confirmed": n_("the same person, confirmed"),
    "refuted": n_("not the same person"),
    "unresolved": n_("it could not be determined"),
    "withdrawn": n_("withdrawn"),
}
GROUNDS = {
    "incorrect": n_("the record is not correct"),
    "unlawful": n_("the record may not be held"),
    "not_needed": n_("the record is not needed any more"),
    "erased": n_("the record was erased"),
}
REFERENCES = {
    "hit": n_("the number of a hit with %(party)s"),
    "own_note": n_("your party's number of a hit with %(party)s"),
    "other_note": n_("the number that %(party)s gave to a hit"),
    "third_note": n_("the number that %(party)s gave to its hit with a third party on this person"),
    "channel": n_("the number in its channel of a follow-up with %(party)s"),
    "reply": n_("the number of a reply of %(party)s"),
    "request": n_("the number of a request of %(party)s"),
    "answer": n_("the number of an answer to %(party)s"),
    "permission": n_("a permission for a letter to %(party)s"),
    "round": n_("the number of a round"),
    "query": n_("the number of a query of your party"),
    "case": n_("the case reference of a query of your party"),
    "standing_query": n_("the number or case reference of a standing query of your party"),
}
"""What a reference that is found stands for."""
WORK = {
    "undecided": n_("a decision"),
    "decided": n_("a request, or the end"),
    "asked": n_("a reply of the other party"),
    "replied": n_("the outcome, after a reply"),
    "received": n_("your answer to the other party"),
}
SUBJECT_PLACES = {
    "records": n_("Records"),
    "queries": n_("Queries"),
    "hits": n_("Hits"),
    "notes": n_("The other party's note"),
    "letters": n_("Requests and replies"),
    "remarks": n_("Remark"),
    "log": n_("Log"),
}
"""Where something of a person may be at a node."""
UNUSUAL_USES = {"many": (n_("far more than usual"), "care"), "hours": (n_("outside the hours of work"), "care")}
SIGNATURES = {
    "verified": (n_("signed by its party"), "good"),
    "not_kept": (n_("its statement is not kept"), ""),
    "wrong": (n_("its statement is wrong"), "stop"),
    "owner": (n_("word of the log's owner"), ""),
}
SUBJECTS = {
    "database": n_("database"),
    "disk": n_("disk"),
    "workers": n_("executor"),
    "drivers": n_("drivers"),
    "log": n_("log"),
    "matcher": n_("matcher"),
    "clock": n_("clock"),
    "certificates": n_("certificates"),
    "identity": n_("identity key"),
    "rounds": n_("rounds"),
    "rows": n_("database rows"),
}
GRADES = {"ok": (n_("in order"), "good"), "warning": (n_("look at it soon"), "care"), "critical": (n_("fault"), "stop")}
APPROVALS = {
    "consent": n_("Consent to a round"),
    "submission": n_("Submission in a round"),
    "erasure": n_("Erasure of a record with hits"),
    "standing_query": n_("Standing query"),
    "proposal": n_("Proposal of a round"),
    "abort": n_("End of a round"),
    "registry": n_("Change of the registry"),
}
APPROVAL_STATES = {
    "waiting": (n_("waits"), "told"),
    "approved": (n_("approved"), "good"),
    "refused": (n_("refused"), "stop"),
    "withdrawn": (n_("taken back"), ""),
    "expired": (n_("its time is over"), ""),
}
EXCHANGES = {
    "unconfirmed": (n_("not confirmed yet"), "care"),
    "confirmed": (n_("confirmed by both sides"), "good"),
    "refuted": (n_("refuted"), "stop"),
}
PARTY_ANSWERS = {
    "answered": (n_("no-hit"), ""),
    "awaited": (n_("awaited"), "told"),
    "on_hold": (n_("on hold"), "stop"),
    "refused": (n_("refused"), "stop"),
    "not_compared": (n_("not compared"), ""),
    "distrusted": (n_("not to be trusted"), "stop"),
    "left_out": (n_("not in the round"), ""),
    "never": (n_("no answer"), "stop"),
    "erased": (n_("erased"), ""),
}
PAIR_STATES = {
    "list": (n_("a list is awaited"), "told"),
    "evaluations": (n_("evaluations are awaited"), "told"),
    "tokens": (n_("tokens are awaited"), "told"),
    "joining": (n_("is being compared"), "told"),
    "reported": (n_("reports are out"), "good"),
    "acknowledged": (n_("both have their hits"), "good"),
    "over": (n_("not compared in time"), "care"),
    "faulty": (n_("cannot be compared"), "stop"),
}
STANDING_QUERIES = {
    "active": (n_("asked in each round"), "good"),
    "withdrawn": (n_("withdrawn"), ""),
    "expired": (n_("its time is over"), ""),
    "replaced": (n_("replaced by another"), ""),
    "emptied": (n_("without persons"), ""),
}
NOT_ASKED = {
    "terms": n_("Its terms differ from those that were approved."),
    "parties": n_("A party takes part that was not approved."),
    "persons": n_("The persons are not those that were approved: their list was changed."),
    "used_up": n_("Your party has asked as many queries in this round as it takes."),
    "later": n_("A record was erased. It is asked when the earlier round is over; you need do nothing."),
}
HIT_KINDS = {"list": n_("between lists"), "query": n_("of queries")}
QUERY_TEMPLATES = {
    "identity check": n_("identity check"),
    "border control": n_("border control"),
    "custody": n_("custody"),
    "investigation": n_("investigation"),
    "threat to life": n_("threat to life"),
}
QUERY_URGENCIES = {"urgent": n_("urgent: an answer is needed today"), "normal": n_("normal")}
QUERY_STEPS = {
    "list": n_("its list is not in the round yet"),
    "evaluations": n_("it has not evaluated the query yet"),
    "tokens": n_("its list is not sent yet"),
    "nothing": n_("no missing step is known"),
}
PROMISES = {
    "high": n_("Of the hits called high, at least 99 in 100 are right."),
    "medium": n_("Of the hits called medium, at least 90 in 100 are right."),
    "low": n_("Of the hits called low, at least 50 in 100 are right: half of them may be wrong."),
}
_ORDER = {name: place for place, name in enumerate(FIELDS[1:])}  # the record id comes last
_FILLED, _EMPTY = "\u25cf", "\u25cb"
_DOTS = 3
_NOWRAP = Markup('<span class="nowrap">{}</span>')
_SHORT = 8


def filters(language: Language) -> dict[str, Callable[..., object]]:
    """Return the filters of templates that turn codes into words and marks.

    `said` is a service's own sentence in the visitor's language, `translated` a text of a table (match rules,
    corroboration); what the catalogue lacks is marked as English.
    """
    say = language.say

    def tag(code: str, table: dict[str, tuple[str, str]]) -> Markup:
        text, mark = table.get(code, (code, ""))
        return Markup('<span class="tag {}">{}</span>').format(mark, say(text))

    def certainty(level: str) -> Markup:
        text, dots = LEVELS[level]
        shape = _FILLED * dots + _EMPTY * (_DOTS - dots)
        return Markup('<span class="certainty"><span class="dots" aria-hidden="true">{}</span>{}</span>').format(
            shape, say(text)
        )

    def party(code: str) -> Markup:
        name = PARTIES.get(code)
        return Markup('<abbr title="{}">{}</abbr>').format(say(name), code) if name else escape(code)

    def word(code: str, table: dict[str, str]) -> str:
        return say(table.get(code, code))

    def level_word(level: str) -> str:
        return say(LEVELS[level][0])

    def party_name(code: str) -> str:
        return f"{word(code, PARTIES)} ({code})" if code in PARTIES else code

    def parties(codes: Iterable[str]) -> Markup:
        return Markup(", ").join(map(party, codes))

    def said(sentence: Sentence | SentenceView) -> Markup:
        found = sentence.sentence if isinstance(sentence, SentenceView) else sentence
        text = language.compose(found)
        return escape(text) if language.has(found) else Markup('<span lang="en">{}</span>').format(text)

    def translated(text: str) -> Markup:
        found = say(text)
        return (
            Markup('<span lang="en">{}</span>').format(text)
            if found == text and language.tag != "en"
            else escape(found)
        )

    made = (certainty, level_word, party, party_name, parties, said, translated)
    return {one.__name__: one for one in made} | {
        "by_names": partial(_by_names, say),
        "phase": partial(tag, table=PHASES),
        "phase_word": lambda code: say(PHASES[code][0]),
        "deadline": partial(word, table=DEADLINES),
        "awaited": partial(word, table=AWAITED),
        "submission_state": partial(tag, table=SUBMISSIONS),
        "answer_state": partial(tag, table=ANSWERS),
        "account_state": partial(tag, table=ACCOUNTS),
        "stage": partial(tag, table=STAGES),
        "decision": partial(word, table=DECISIONS),
        "known_pair": partial(word, table=KNOWN_PAIRS),
        "decision_button": partial(word, table=DECISION_BUTTONS),
        "channel": partial(word, table=CHANNELS),
        "follow_up_state": partial(word, table=FOLLOW_UP_STATES),
        "urgency": partial(word, table=URGENCIES),
        "ground": partial(word, table=GROUNDS),
        "step": partial(word, table=STEPS),
        "step_value": partial(word, table=DECISIONS | CHANNELS | OUTCOMES | GROUNDS),
        "unusual_use": partial(tag, table=UNUSUAL_USES),
        "signature": partial(tag, table=SIGNATURES),
        "subject": partial(word, table=SUBJECTS),
        "grade": partial(tag, table=GRADES),
        "approval_kind": partial(word, table=APPROVALS),
        "approval_state": partial(tag, table=APPROVAL_STATES),
        "exchange_state": partial(tag, table=EXCHANGES),
        "party_answer": partial(tag, table=PARTY_ANSWERS),
        "pair_state": partial(tag, table=PAIR_STATES),
        "standing_state": partial(tag, table=STANDING_QUERIES),
        "not_asked": partial(word, table=NOT_ASKED),
        "submission_step": lambda code: say(SUBMISSIONS[code][0]),
        "query_step": partial(word, table=QUERY_STEPS),
        "query_urgency": partial(word, table=QUERY_URGENCIES),
        "entry_kind": partial(word, table={kind.value: label for kind, (label, _) in KINDS.items()}),
        "subject_place": partial(word, table=SUBJECT_PLACES),
        "subject_answer": partial(word, table=SUBJECT_ANSWERS),
        "promise": partial(word, table=PROMISES),
        "work": partial(word, table=WORK),
        "person": person,
        "person_line": person_line,
        "rule_named": partial(rule_named, language=language),
        "sort_order": partial(word, table=SORTS),
        "in_order": in_order,
        "role": partial(word, table=ROLES),
        "wish": partial(word, table=WISHES),
        "field_name": partial(word, table={name: entry.label for name, entry in field_table().items()}),
        "encoding_name": partial(word, table=ENCODINGS),
        "list_format": partial(word, table=LIST_FORMATS),
        "short": short,
        "fingerprint": fingerprint,
        "joined": joined,
        "plain_rule": partial(plain_rule, language=language),
        "figure": partial(figure, language=language),
        "entry_fields": partial(entry_fields, language=language),
    }


def plain_rule(parts: Iterable[str], language: Language) -> str:
    return " + ".join(language.say(RULE_PARTS.get(part, part)) for part in parts)


@cache
def _families() -> dict[str, str]:
    tables = [load_rules(name) for name in BUILT_IN]
    return {part.name: part.family for table in tables for rule in table.rules for part in rule.parts}


def family_of(part: str) -> str:
    """Return the family of evidence of a part of a match rule; a part of another table is a family of its own."""
    return _families().get(part, part)


def rule_named(name: str, language: Language) -> str:
    """Return the match rule of a name in one line; a rule of another table keeps its name."""
    return plain_rule(_parts_of_rules().get(name, (name,)), language)


@cache
def _parts_of_rules() -> dict[str, tuple[str, ...]]:
    tables = [load_rules(name) for name in BUILT_IN]
    return {rule.name: tuple(part.name for part in rule.parts) for table in tables for rule in table.rules}


def figure(published: int | str, language: Language) -> str:
    """Return a published number, and what it means where it is small."""
    if isinstance(published, int):
        return language.number(published)
    return Markup('<abbr title="{}">{}</abbr>').format(language.say(FIGURES[published]), published)


def short(identifier: str) -> str:
    return identifier[:_SHORT]


def fingerprint(digest: str) -> str:
    """Return a digest in groups of four, to be read out by telephone."""
    return " ".join(digest[start : start + 4] for start in range(0, len(digest), 4))


def person(record: dict[str, str | list[str]]) -> str:
    """Return names and date of birth of an own record, as its list has them."""
    names = [joined(record[name]) for name in ("given_names", "family_names", "full_name") if record.get(name)]
    date = joined(record.get("date_of_birth", ""))
    return ", ".join(part for part in (" ".join(names), date) if part)


def person_line(record: dict[str, str | list[str]]) -> Markup:
    """Return the same for a narrow place: a date is not broken at its hyphens."""
    date = joined(record.get("date_of_birth", ""))
    names = person({name: value for name, value in record.items() if name != "date_of_birth"})
    return Markup(", ").join([*([escape(names)] if names else []), *([_NOWRAP.format(date)] if date else [])])


def in_order(record: dict[str, str | list[str]]) -> list[tuple[str, str | list[str]]]:
    """Return a record's fields in the order in which one reads them: who first, what is known of the note last."""
    return sorted(record.items(), key=lambda item: _ORDER.get(item[0], len(_ORDER)))


def joined(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _by_names(say: Callable[[str], str], elements: int) -> str:
    """Return how many of a hundred names of a list some coarse elements could find."""
    percent = percent_by_names(elements)
    return say("about %(percent)s of 100") % {"percent": percent} if percent else say("less than 10 of 100")
