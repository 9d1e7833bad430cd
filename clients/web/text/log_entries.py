"""The fields of a log entry other than actor and time, in words: identifiers, chosen words, numbers and digests."""

import re
from collections.abc import Iterator

from markupsafe import Markup

from aquila.audit.entries import Entry
from clients.web.i18n.languages import Language, n_

NAMES = {
    "account": n_("account"),
    "alarm": n_("alarm"),
    "approval": n_("request"),
    "attempts": n_("attempts"),
    "author": n_("asked by"),
    "batch": n_("batch"),
    "binding": n_("binding"),
    "by": n_("by means of"),
    "changes": n_("changes"),
    "channel": n_("channel"),
    "checkpoint": n_("checkpoint"),
    "chunk": n_("chunk"),
    "chunks": n_("chunks"),
    "class": n_("class of inputs"),
    "coarse": n_("of the class coarse"),
    "confirmed": n_("confirmed"),
    "content": n_("content"),
    "counterpart": n_("other party"),
    "days": n_("days"),
    "decision": n_("decision"),
    "earlier_rounds": n_("earlier rounds"),
    "elements": n_("elements"),
    "entries": n_("entries"),
    "erased": n_("erased"),
    "expected_thousandths": n_("expected, in thousandths"),
    "file": n_("File number"),
    "full": n_("of the class full"),
    "ground": n_("ground"),
    "high": n_("high"),
    "hit": n_("hit"),
    "hits": n_("hits"),
    "hits_found": n_("hits"),
    "how": n_("change"),
    "import": n_("list"),
    "input": n_("request"),
    "invitation": n_("invitation"),
    "justifications": n_("justifications"),
    "kind": n_("kind"),
    "left": n_("one party"),
    "letters": n_("requests"),
    "log": n_("log"),
    "low": n_("low"),
    "manifest": n_("manifest"),
    "medium": n_("medium"),
    "mode": n_("kind of round"),
    "notes": n_("notes"),
    "number": n_("number"),
    "of": n_("contents"),
    "outcome": n_("outcome"),
    "output": n_("response"),
    "page": n_("page, from 0"),
    "pages": n_("pages"),
    "pairs": n_("pairs"),
    "partial": n_("of the class partial"),
    "participants": n_("participants"),
    "parties": n_("parties"),
    "queries": n_("Queries"),
    "records": n_("records"),
    "registry": n_("registry"),
    "former": n_("replaced key"),
    "key": n_("new key"),
    "refused": n_("refused"),
    "refuted": n_("refuted"),
    "report": n_("report"),
    "remarks": n_("remark"),
    "reports": n_("reports"),
    "requests": n_("requests"),
    "retention_days": n_("days of retention"),
    "right": n_("other party"),
    "rows": n_("rows"),
    "search": n_("request"),
    "size": n_("size"),
    "standing": n_("standing query"),
    "statement": n_("statement"),
    "submission": n_("submission"),
    "urgency": n_("urgency"),
    "value": n_("choice"),
    "what": n_("subject"),
    "why": n_("cause"),
    "withdrawal": n_("withdrawal"),
}
SUBJECT_ANSWERS = {
    "given": n_("information given"),
    "nothing": n_("nothing held"),
    "inquiries": n_("withheld, for inquiries or procedures"),
    "offences": n_("withheld, for the prevention or prosecution of offences"),
    "public_security": n_("withheld, for public security"),
    "national_security": n_("withheld, for national security"),
    "rights": n_("withheld, for the rights of others"),
}
"""What a person is told who asks what is held."""
WORDS = {
    "list": n_("list"),
    "lists": n_("lists"),
    "query": n_("a query"),
    "lists_and_queries": n_("lists and queries"),
    "full": n_("full"),
    "partial": n_("partial"),
    "coarse": n_("coarse"),
    "high": n_("high"),
    "medium": n_("medium"),
    "low": n_("low"),
    "closed": n_("closed"),
    "aborted": n_("aborted"),
    "refused": n_("refused"),
    "round": n_("a round"),
    "hits": n_("hits"),
    "hit": n_("hit"),
    "record": n_("a record"),
    "import": n_("list"),
    "duplicates": n_("duplicates"),
    "consent": n_("consent"),
    "submission": n_("submission"),
    "standing_query": n_("standing query"),
    "registry": n_("registry"),
    "asked": n_("asked in a round"),
    "replaced": n_("replaced by another"),
    "emptied": n_("without persons"),
    "proposal": n_("a proposal"),
    "abort": n_("aborting"),
    "close": n_("closing"),
    "export": n_("an export"),
    "same": n_("the same person"),
    "not_the_same": n_("not the same person"),
    "cannot_tell": n_("cannot be determined"),
    "created": n_("made"),
    "changed": n_("changed"),
    "disabled": n_("deactivated"),
    "enabled": n_("activated"),
    "password": n_("password"),
    "totp": n_("authenticator"),
    "oidc": n_("the ministry's provider"),
    "token": n_("the key of the home folder"),
    "roles": n_("roles"),
    "fork": n_("two histories"),
    "shrunk": n_("fewer entries than before"),
    "signature": n_("a signature"),
    "missing": n_("an entry is missing"),
    "false": n_("an entry is false"),
    "withdrawn": n_("withdrawn"),
    "expired": n_("its time is over"),
    "siena": "SIENA",
    "interpol": "Interpol I-24/7",
    "bilateral": n_("bilateral channel"),
    "urgent": n_("urgent"),
    "normal": n_("not urgent"),
    "confirmed": n_("confirmed"),
    "refuted": n_("refuted"),
    "unresolved": n_("it could not be determined"),
    "incorrect": n_("the record is not correct"),
    "unlawful": n_("the record may not be held"),
    "not_needed": n_("the record is not needed any more"),
    "erased": n_("the record was erased"),
    "acknowledged": n_("taken up"),
    "person": n_("Person"),
} | SUBJECT_ANSWERS
_NUMBERED = re.compile(r"(.+)_\d+")
_OF_PARTY = re.compile(r"([a-z]{2})_(high|medium|low)")
_SHORT = 8


def entry_fields(entry: Entry, language: Language) -> Iterator[tuple[str, Markup]]:
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
