"""The fields of a log entry other than actor and time, in words: identifiers, chosen words, numbers and digests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup

from aquila.audit.entries import Entry
from clients.web.i18n.languages import Language


def _n(message: str) -> str:
    """Mark a message for the catalogue; it is translated where it is shown."""
    return message


NAMES = {
    "absent": _n("left out"),
    "account": _n("account"),
    "alarm": _n("alarm"),
    "approval": _n("request"),
    "attempts": _n("attempts"),
    "author": _n("asked by"),
    "batch": _n("batch"),
    "binding": _n("binding"),
    "by": _n("by means of"),
    "changes": _n("changes"),
    "channel": _n("channel"),
    "checkpoint": _n("checkpoint"),
    "chunk": _n("chunk"),
    "chunks": _n("chunks"),
    "class": _n("class of inputs"),
    "confirmed": _n("confirmed"),
    "content": _n("content"),
    "days": _n("days"),
    "decision": _n("decision"),
    "earlier_rounds": _n("earlier rounds"),
    "elements": _n("elements"),
    "entries": _n("entries"),
    "erased": _n("erased"),
    "expected_thousandths": _n("expected, in thousandths"),
    "full": _n("of the class full"),
    "ground": _n("ground"),
    "high": _n("high"),
    "hit": _n("hit"),
    "hits": _n("hits"),
    "how": _n("change"),
    "import": _n("list"),
    "input": _n("request"),
    "invitation": _n("invitation"),
    "justifications": _n("justifications"),
    "kind": _n("kind"),
    "left": _n("one party"),
    "low": _n("low"),
    "manifest": _n("manifest"),
    "medium": _n("medium"),
    "mode": _n("kind of round"),
    "notes": _n("notes"),
    "number": _n("number"),
    "of": _n("contents"),
    "outcome": _n("outcome"),
    "output": _n("response"),
    "page": _n("page, from 0"),
    "pages": _n("pages"),
    "pairs": _n("pairs"),
    "partial": _n("of the class partial"),
    "participants": _n("participants"),
    "parties": _n("parties"),
    "records": _n("records"),
    "registry": _n("registry"),
    "former": _n("replaced key"),
    "key": _n("new key"),
    "refused": _n("refused"),
    "refuted": _n("refuted"),
    "report": _n("report"),
    "reports": _n("reports"),
    "requests": _n("requests"),
    "retention_days": _n("days of retention"),
    "right": _n("other party"),
    "rows": _n("rows"),
    "size": _n("size"),
    "standing": _n("standing query"),
    "statement": _n("statement"),
    "submission": _n("submission"),
    "urgency": _n("urgency"),
    "value": _n("choice"),
    "what": _n("subject"),
    "why": _n("cause"),
    "withdrawal": _n("withdrawal"),
}
WORDS = {
    "list": _n("a list"),
    "lists": _n("lists"),
    "query": _n("a query"),
    "lists_and_queries": _n("lists and queries"),
    "full": _n("full"),
    "partial": _n("partial"),
    "high": _n("high"),
    "medium": _n("medium"),
    "low": _n("low"),
    "closed": _n("closed"),
    "aborted": _n("aborted"),
    "refused": _n("refused"),
    "round": _n("a round"),
    "hits": _n("hits"),
    "hit": _n("a hit"),
    "record": _n("a record"),
    "import": _n("a list"),
    "duplicates": _n("duplicates"),
    "consent": _n("a consent"),
    "submission": _n("a submission"),
    "standing_query": _n("a standing query"),
    "registry": _n("the registry"),
    "asked": _n("asked in a round"),
    "replaced": _n("replaced by another"),
    "emptied": _n("without persons"),
    "proposal": _n("a proposal"),
    "abort": _n("aborting"),
    "close": _n("closing"),
    "export": _n("an export"),
    "same": _n("the same person"),
    "not_the_same": _n("not the same person"),
    "cannot_tell": _n("cannot be determined"),
    "created": _n("made"),
    "changed": _n("changed"),
    "disabled": _n("deactivated"),
    "enabled": _n("activated"),
    "password": _n("password"),
    "totp": _n("authenticator"),
    "oidc": _n("the ministry's provider"),
    "token": _n("the key of the home folder"),
    "roles": _n("roles"),
    "fork": _n("two histories"),
    "shrunk": _n("fewer entries than before"),
    "signature": _n("a signature"),
    "missing": _n("an entry is missing"),
    "false": _n("an entry is false"),
    "withdrawn": _n("withdrawn"),
    "expired": _n("its time was over"),
    "siena": "SIENA",
    "interpol": "Interpol I-24/7",
    "bilateral": _n("bilateral channel"),
    "urgent": _n("urgent"),
    "normal": _n("not urgent"),
    "confirmed": _n("confirmed"),
    "refuted": _n("refuted"),
    "unresolved": _n("it could not be found out"),
    "incorrect": _n("the record is not correct"),
    "unlawful": _n("the record may not be held"),
    "not_needed": _n("the record is not needed any more"),
    "erased": _n("the record was erased"),
    "acknowledged": _n("taken up"),
}
_NUMBERED = re.compile(r"(.+)_\d+")
_OF_PARTY = re.compile(r"([a-z]{2})_(high|medium|low)")
_SHORT = 8


def entry_fields(entry: Entry, language: Language) -> Iterator[tuple[str, Markup]]:
    """Yield the name and the value of each particular, in the visitor's language."""
    for name, value in entry.ids.items():
        word = WORDS.get(value)
        yield _name(name, language), Markup("{}").format(language.say(word)) if word else _code(value)
    for name, count in entry.counts.items():
        yield _name(name, language), Markup("{}").format(language.number(count))
    for name, digest in entry.digests.items():
        yield _name(name, language), _code(digest)


def _name(name: str, language: Language) -> str:
    """Return a name in words; of several of a kind the number is left out, and a party comes before its level."""
    if found := _OF_PARTY.fullmatch(name):
        return f"{found[1].upper()} {language.say(NAMES[found[2]])}"
    if name not in NAMES and (found := _NUMBERED.fullmatch(name)):
        name = found[1]
    return language.say(NAMES.get(name, name.replace("_", " ")))


def _code(identifier: str) -> Markup:
    """Return the first digits of an identifier or a digest, and the whole of it as a tooltip."""
    short = identifier if identifier.startswith("p-") else identifier[:_SHORT]
    return Markup('<code title="{}">{}</code>').format(identifier, short)
