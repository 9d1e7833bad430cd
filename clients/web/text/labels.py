"""Words for what the service names by a code: phases, levels, states. Each word comes with a mark for the eye.

A mark is a class of the style sheet (`good`, `care`, `stop`, `told`, or none); the word alone tells everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache, partial

from markupsafe import Markup, escape

from aquila.interface.sentence import SentenceView
from aquila.protocol.submissions.caps import percent_by_names
from aquila.records.rules import BUILT_IN, load_rules
from aquila.sentences import Sentence
from clients.web.i18n.languages import Language
from clients.web.text.log_entries import entry_fields


def _n(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


PRACTICE = _n("Practice. Invented persons. Nothing here is real.")
"""The mark of practice."""

PHASES = {
    "proposed": (_n("waits for consents"), "told"),
    "open": (_n("open"), "told"),
    "matching": (_n("matching"), "told"),
    "reporting": (_n("reports are out"), "good"),
    "closed": (_n("closed"), ""),
    "aborted": (_n("aborted"), "stop"),
}
LEVELS = {"high": (_n("high"), 3), "medium": (_n("medium"), 2), "low": (_n("low"), 1)}
FIGURES = {"1-4": _n("a small number, from 1 to 4"), "<5": _n("fewer than 5 once rounded")}
SUBMISSIONS = {
    "wished": (_n("waits to be prepared"), "told"),
    "preparing": (_n("is being prepared"), "told"),
    "submitted": (_n("is being evaluated"), "told"),
    "finalized": (_n("is being sent"), "told"),
    "tokens_sent": (_n("all is sent"), "good"),
    "failed": (_n("failed"), "stop"),
}
ANSWERS = {
    "answered": (_n("answered"), "good"),
    "awaited": (_n("awaited"), "told"),
    "on_hold": (_n("on hold"), "stop"),
    "refused": (_n("refused"), "stop"),
    "never": (_n("not answered, and will not be"), ""),
    "erased": (_n("erased after its time"), ""),
}
RULE_PARTS = {
    "name pair": _n("same given and family name"),
    "similar pair": _n("similar given and family name"),
    "any pair": _n("two similar names"),
    "name and initial": _n("similar name + initial"),
    "single beginning": _n("same beginning of a name"),
    "two initials": _n("two initials"),
    "every name": _n("all names similar"),
    "rare pair": _n("names that are rare together"),
    "whole date": _n("full date of birth"),
    "new year": _n("born on 1 January, same year"),
    "known month": _n("year and month of birth"),
    "decade": _n("day and month of birth, same decade"),
    "bare year": _n("year of birth"),
    "place of birth": _n("same place of birth"),
    "nationality": _n("same nationality"),
    "known nationality": _n("nationality known to both"),
    "document number": _n("same document number"),
    "national number": _n("same national number"),
    "telephone number": _n("same telephone number"),
    "e-mail address": _n("same e-mail address"),
    "all names": _n("all names"),
    "date": _n("full date of birth"),
}
"""A part of a match rule in a few words, by its name in the built-in tables."""
ROLES = {
    "officer": _n("officer"),
    "approver": _n("approver"),
    "analyst": _n("analyst"),
    "auditor": _n("auditor"),
    "administrator": _n("administrator"),
    "secretariat": _n("secretariat's officer"),
}
ENCODINGS = {
    "utf-8": _n("Unicode (UTF-8)"),
    "utf-16le": _n("Unicode (UTF-16)"),
    "utf-16be": _n("Unicode (UTF-16, big end first)"),
    "windows-1250": _n("Latin letters of Central Europe (Windows-1250)"),
    "windows-1251": _n("Cyrillic (Windows-1251)"),
    "windows-1252": _n("Latin letters of Western Europe and Albania (Windows-1252)"),
    "windows-1253": _n("Greek (Windows-1253)"),
    "windows-1254": _n("Turkish (Windows-1254)"),
    "iso-8859-2": _n("Latin letters of Central Europe (ISO 8859-2)"),
    "iso-8859-5": _n("Cyrillic (ISO 8859-5)"),
    "ibm852": _n("Latin letters of Central Europe, of old programs (IBM 852)"),
}
LIST_FORMATS = {
    "csv": _n("CSV"),
    "ftm": _n("FollowTheMoney"),
    "xlsx": _n("Excel workbook (.xlsx)"),
    "ods": _n("LibreOffice spreadsheet (.ods)"),
}
ACCOUNTS = {
    "invited": (_n("has to enrol"), "told"),
    "active": (_n("active"), "good"),
    "locked": (_n("waits after failures"), "care"),
    "deactivated": (_n("deactivated"), "stop"),
}
WISHES = {
    "consent": _n("This node is about to send its consent."),
    "close": _n("This node is about to close the round."),
    "abort": _n("This node is about to leave the round."),
}
PARTIES = {
    "AL": _n("Albania"),
    "AT": _n("Austria"),
    "BA": _n("Bosnia and Herzegovina"),
    "BG": _n("Bulgaria"),
    "HR": _n("Croatia"),
    "HU": _n("Hungary"),
    "MD": _n("Moldova"),
    "ME": _n("Montenegro"),
    "MK": _n("North Macedonia"),
    "RO": _n("Romania"),
    "RS": _n("Serbia"),
    "SI": _n("Slovenia"),
    "XK": _n("Kosovo*"),
}
FIELDS = {
    "given_names": _n("Given names"),
    "family_names": _n("Family names"),
    "full_name": _n("Full name"),
    "aliases": _n("Also known as"),
    "date_of_birth": _n("Date of birth"),
    "sex": _n("Sex"),
    "place_of_birth": _n("Place of birth"),
    "country_of_birth": _n("Country of birth"),
    "nationality": _n("Nationality"),
    "document_numbers": _n("Document numbers"),
    "national_numbers": _n("National numbers"),
    "phones": _n("Phone numbers"),
    "emails": _n("E-mail addresses"),
    "category": _n("Category"),
    "source_evaluation": _n("Evaluation of the source"),
    "information_evaluation": _n("Evaluation of the information"),
    "handling_code": _n("Handling code"),
    "indicators": _n("Indicators"),
    "record_id": _n("Record number"),
    "row": _n("Row"),
}
STAGES = {
    "new": (_n("new"), "told"),
    "known": (_n("known"), ""),
    "acknowledged": (_n("taken up"), "told"),
    "decided": (_n("decided"), "care"),
    "follow_up": (_n("in follow-up"), "care"),
    "closed": (_n("closed"), ""),
    "withdrawn": (_n("withdrawn"), "stop"),
}
DECISIONS = {
    "same": _n("the same person"),
    "not_the_same": _n("not the same person"),
    "cannot_tell": _n("cannot be determined"),
}
KNOWN_PAIRS = {
    "unchanged": _n("unchanged"),
    "changed_level": _n("changed level"),
    "changed_evidence": _n("changed evidence"),
}
DECISION_BUTTONS = {"same": _n("Same person"), "not_the_same": _n("Not the same"), "cannot_tell": _n("Cannot tell")}
WHOSE = {"mine": _n("mine"), "nobody": _n("unassigned")}
SORTS = {
    "newest": _n("newest first"),
    "certainty": _n("surest first"),
    "due": _n("due first"),
    "name": _n("by name"),
    "party": _n("by other party"),
}
CHANNELS = {"siena": "SIENA", "interpol": "Interpol I-24/7", "bilateral": _n("bilateral channel")}
URGENCIES = {"urgent": _n("urgent: answer within 8 hours"), "normal": _n("normal: answer within 48 hours")}
OUTCOMES = {
    "confirmed": _n("the same person, confirmed by the other party"),
    "refuted": _n("not the same person"),
    "unresolved": _n("it could not be found out"),
}
GROUNDS = {
    "incorrect": _n("the record is not correct"),
    "unlawful": _n("the record may not be held"),
    "not_needed": _n("the record is not needed any more"),
    "erased": _n("the record was erased"),
}
STEPS = {
    "carried": _n("carried from an earlier round"),
    "acknowledged": _n("taken up"),
    "decided": _n("decided"),
    "undone": _n("decision undone"),
    "assigned": _n("assigned"),
    "remarked": _n("remark"),
    "opened": _n("follow-up opened"),
    "referenced": _n("number of the channel noted"),
    "replied": _n("reply of the other party recorded"),
    "permitted": _n("permission recorded"),
    "exported": _n("letter exported"),
    "closed": _n("closed"),
    "reopened": _n("reopened"),
    "withdrawn": _n("withdrawn"),
}
ENTRIES = {
    "import": _n("list imported"),
    "erasure": _n("record erased"),
    "proposal": _n("round proposed"),
    "discovery": _n("proposal received"),
    "consent": _n("consent"),
    "opening": _n("round opened"),
    "standing_query": _n("standing query"),
    "submission": _n("submission"),
    "evaluation": _n("evaluation for another party"),
    "amendment": _n("a party was left out"),
    "tokens": _n("tokens sent"),
    "match": _n("lists matched"),
    "report": _n("report sent"),
    "receipt": _n("report received"),
    "refusal": _n("round refused"),
    "end_asked": _n("end of a round asked for"),
    "ending": _n("round ended"),
    "key_destruction": _n("keys destroyed"),
    "closing": _n("destruction of keys stated"),
    "evidence": _n("contradicting statements kept"),
    "consultation": _n("hits or records looked at"),
    "disclosure": _n("sealed note sent"),
    "note_received": _n("sealed note received"),
    "hit_confirmed": _n("hit confirmed by both sides"),
    "hit_refuted": _n("hit refuted"),
    "hit_acknowledged": _n("hit taken up"),
    "hit_decided": _n("hit decided"),
    "follow_up": _n("follow-up opened"),
    "follow_up_closed": _n("hit closed"),
    "export": _n("exported"),
    "export_permitted": _n("permission to export recorded"),
    "withdrawal": _n("hit withdrawn"),
    "withdrawal_acknowledged": _n("withdrawal confirmed"),
    "outcome": _n("outcomes counted"),
    "checked": _n("report checked for what was left out"),
    "hits_left_out": _n("hits left out"),
    "fishing_alarm": _n("more hits than lists explain"),
    "alarm_released": _n("report released after an alarm"),
    "answer_withheld": _n("answer to a query withheld"),
    "answer_refused": _n("answer to a query refused"),
    "submission_refused": _n("submission refused"),
    "statement_refused": _n("statement not taken"),
    "approval_requested": _n("approval requested"),
    "approved": _n("approved by a second person"),
    "approval_denied": _n("not approved"),
    "sign_in": _n("sign-in"),
    "sign_in_failed": _n("sign-in failed"),
    "sign_out": _n("sign-out"),
    "account_locked": _n("account waits after failures"),
    "account_changed": _n("account changed"),
    "log_alarm": _n("a log was rewritten"),
    "alarm_acknowledged": _n("alarm acknowledged"),
    "log_consulted": _n("log looked at"),
    "log_exported": _n("log exported"),
    "party_invited": _n("party invited"),
    "registry_changed": _n("registry changed"),
    "registry_accepted": _n("registry accepted"),
    "key_replaced": _n("identity key replaced"),
    "log_pruned": _n("contents erased after their time"),
    "backup": _n("backup made"),
}
APPROVALS = {
    "consent": _n("Consent to a round"),
    "submission": _n("Submission in a round"),
    "erasure": _n("Erasure of a record with hits"),
    "standing_query": _n("Standing query"),
    "proposal": _n("Proposal of a round"),
    "abort": _n("End of a round"),
    "registry": _n("Change of the registry"),
}
APPROVAL_STATES = {
    "waiting": (_n("waits"), "told"),
    "approved": (_n("approved"), "good"),
    "refused": (_n("refused"), "stop"),
    "withdrawn": (_n("taken back"), ""),
    "expired": (_n("its time is over"), ""),
}
EXCHANGES = {
    "unconfirmed": (_n("not confirmed yet"), "care"),
    "confirmed": (_n("confirmed by both sides"), "good"),
    "refuted": (_n("refuted"), "stop"),
}
PARTY_ANSWERS = {
    "answered": (_n("no-hit"), ""),
    "awaited": (_n("awaited"), "told"),
    "on_hold": (_n("on hold"), "stop"),
    "refused": (_n("refused"), "stop"),
    "not_compared": (_n("not compared"), ""),
    "left_out": (_n("not in the round"), ""),
    "never": (_n("no answer"), "stop"),
    "erased": (_n("erased"), ""),
}
STANDING_QUERIES = {
    "active": (_n("asked in each round"), "good"),
    "withdrawn": (_n("withdrawn"), ""),
    "expired": (_n("its time is over"), ""),
    "replaced": (_n("replaced by another"), ""),
    "emptied": (_n("without persons"), ""),
}
NOT_ASKED = {
    "terms": _n("Its terms are others than those that were approved."),
    "parties": _n("A party takes part that was not among those that were approved."),
    "persons": _n("The persons are not those that were approved: their list was changed."),
    "later": _n("A record was erased. It is asked when the earlier round is over, without your doing anything."),
}
HIT_KINDS = {"list": _n("between lists"), "query": _n("of queries")}
QUERY_TEMPLATES = {
    "identity check": _n("identity check"),
    "border control": _n("border control"),
    "custody": _n("custody"),
    "investigation": _n("investigation"),
    "threat to life": _n("threat to life"),
}
QUERY_URGENCIES = {"urgent": _n("urgent: an answer is needed today"), "normal": _n("normal")}
QUERY_STEPS = {
    "list": _n("its list is not in the round yet"),
    "evaluations": _n("it has not evaluated the query yet"),
    "tokens": _n("its list is not sent yet"),
    "nothing": _n("no step of it is known to be missing"),
}
PROMISES = {
    "high": _n("Of the hits called high, at least 99 in 100 are right."),
    "medium": _n("Of the hits called medium, at least 90 in 100 are right."),
    "low": _n("Of the hits called low, at least 50 in 100 are right: half of them may be wrong."),
}
_ORDER = {name: place for place, name in enumerate(FIELDS)}
_FILLED, _EMPTY = "\u25cf", "\u25cb"
_DOTS = 3
_MADE_NUMBER = re.compile(r"Q-[0-9a-f]{8}-[0-9]+")
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
        "submission_state": partial(tag, table=SUBMISSIONS),
        "answer_state": partial(tag, table=ANSWERS),
        "account_state": partial(tag, table=ACCOUNTS),
        "stage": partial(tag, table=STAGES),
        "decision": partial(word, table=DECISIONS),
        "known_pair": partial(word, table=KNOWN_PAIRS),
        "decision_button": partial(word, table=DECISION_BUTTONS),
        "channel": partial(word, table=CHANNELS),
        "urgency": partial(word, table=URGENCIES),
        "ground": partial(word, table=GROUNDS),
        "step": partial(word, table=STEPS),
        "step_value": partial(word, table=DECISIONS | CHANNELS | OUTCOMES | GROUNDS),
        "approval_kind": partial(word, table=APPROVALS),
        "approval_state": partial(tag, table=APPROVAL_STATES),
        "exchange_state": partial(tag, table=EXCHANGES),
        "party_answer": partial(tag, table=PARTY_ANSWERS),
        "standing_state": partial(tag, table=STANDING_QUERIES),
        "not_asked": partial(word, table=NOT_ASKED),
        "submission_step": lambda code: say(SUBMISSIONS[code][0]),
        "query_step": partial(word, table=QUERY_STEPS),
        "query_urgency": partial(word, table=QUERY_URGENCIES),
        "entry_kind": partial(word, table=ENTRIES),
        "promise": partial(word, table=PROMISES),
        "person": person,
        "person_line": person_line,
        "own_number": own_number,
        "rule_named": partial(rule_named, language=language),
        "sort_order": partial(word, table=SORTS),
        "in_order": in_order,
        "role": partial(word, table=ROLES),
        "wish": partial(word, table=WISHES),
        "field_name": partial(word, table=FIELDS),
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
    """Return a match rule in one line: its parts in a few words each, by their names."""
    return " + ".join(language.say(RULE_PARTS.get(part, part)) for part in parts)


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
    """Return the digits of an identifier that pages show."""
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


def own_number(record_id: str) -> bool:
    """Return whether a record's number is the party's own; a person who was typed in has one that the node made."""
    return _MADE_NUMBER.fullmatch(record_id) is None


def in_order(record: dict[str, str | list[str]]) -> list[tuple[str, str | list[str]]]:
    """Return a record's fields in the order in which one reads them: who first, what is known of the note last."""
    return sorted(record.items(), key=lambda item: _ORDER.get(item[0], len(_ORDER)))


def joined(value: str | list[str]) -> str:
    """Return one or several values as one text."""
    return value if isinstance(value, str) else ", ".join(value)


def _by_names(say: Callable[[str], str], elements: int) -> str:
    """Return how many of a hundred names of a list some partial elements could guess."""
    percent = percent_by_names(elements)
    return say("about %(percent)s of 100") % {"percent": percent} if percent else say("less than 10 of 100")
