"""Problems: the one table from an error's class to an RFC 9457 problem, and the way back (PROTOCOL.md section 9).

A problem document has the RFC's members (`type`, `title`, `status`, `detail`, `instance`), the error's `hint`, and its
`fields` as one object, so that a field can never take the place of a member of the RFC. A service extends the table
with the rows of its own errors; the core knows none of them. Which HTTP status a class has says what the caller can
do: 4xx will be refused again until the caller changes something, 5xx may be tried again as it is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from aquila import errors
from aquila.sentences import SENTENCES, Sentence, quoted
from aquila.sentences.sentence import PLACE, QUOTED, from_json, machine_fields, printable, to_json

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:aquila:problem:"


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A row of the table: the last part of the type URI, the title and the HTTP status."""

    slug: str
    title: str
    status: int

    @property
    def uri(self) -> str:
        """The problem's type, a URN that needs no host to be stable."""
        return TYPE_PREFIX + self.slug


ProblemTable: TypeAlias = Mapping[type[errors.AquilaError], ProblemType]

PROBLEMS: ProblemTable = {
    # Nobody said who was wrong: ours to mend, so 500.
    errors.AquilaError: ProblemType("error", "The service could not do this", 500),
    # The content cannot be used whatever its form: 422, as for every field that a schema refuses.
    errors.InputError: ProblemType("input", "The input cannot be used", 422),
    # 400: the peer's bytes are wrong, and sending them again changes nothing.
    errors.ProtocolError: ProblemType("protocol", "The protocol forbids this message", 400),
    errors.MalformedError: ProblemType("malformed", "The bytes are no message of the protocol", 400),
    errors.DigestError: ProblemType("digest", "The bytes differ from what was signed", 400),
    errors.ProofError: ProblemType("proof", "The proof does not verify", 400),
    errors.SealError: ProblemType("seal", "The sealed bytes do not open", 400),
    # 401: only another signature helps.
    errors.SignatureError: ProblemType("signature", "The pinned identity key did not sign this", 401),
    # 409: well formed, but in conflict with what the service has recorded; look at the round and go on from there.
    errors.BindingError: ProblemType("binding", "The statement names another round or set of participants", 409),
    errors.OrderError: ProblemType("order", "The step is not due, or was taken already", 409),
    errors.RepeatedError: ProblemType("repeated", "The party has said this as often as it can", 409),
    errors.ReplayError: ProblemType("replay", "The call or statement was seen before, or is outside its window", 409),
    errors.EquivocationError: ProblemType("equivocation", "Two different statements where only one may be", 409),
    errors.RestoredBackupError: ProblemType(
        "restored-backup", "The database is older than what the party has signed", 409
    ),
    # 403: understood and refused by rule. A cap counts elements over a whole round; 413 would speak of this body.
    errors.PolicyError: ProblemType("policy", "Refused by rule", 403),
    errors.CapError: ProblemType("cap", "More elements than the caps allow", 403),
    errors.GridError: ProblemType("grid", "A list that looks like guesses, not like persons", 403),
    # 422: a log or bundle was read and does not hold together.
    errors.AuditError: ProblemType("audit", "The log or bundle does not hold together", 422),
    # 409: what is said of a log contradicts what it said before; nothing is signed or sent until people looked at it.
    errors.LogRewrittenError: ProblemType("log-rewritten", "The log forked or shrank", 409),
    # 500: the service's own key, which no caller can mend; without Retry-After, since waiting does not help either.
    errors.KeyMaterialError: ProblemType("key-material", "A key is missing, unreadable, closed or destroyed", 500),
    # 503: nobody's fault that a caller could mend, and the same call may succeed later.
    errors.ExecutorError: ProblemType("executor", "A worker ended without an answer", 503),
}


def problem_type_of(kind: type[errors.AquilaError], table: ProblemTable = PROBLEMS) -> ProblemType:
    """Return the row of an error class, or of its nearest ancestor that has one."""
    return next(table[ancestor] for ancestor in kind.__mro__ if ancestor in table)


def problem_of(error: errors.AquilaError, instance: str = "", table: ProblemTable = PROBLEMS) -> dict[str, object]:
    """Return the problem document of an error (RFC 9457 section 3).

    Args:
        error: What was raised. Its message, hint and fields hold no secrets (`aquila.errors`).
        instance: A URI reference of this occurrence, or nothing.
        table: The core's table, or a service's extension of it.
    """
    row = problem_type_of(type(error), table)
    document: dict[str, object] = {
        "type": row.uri,
        "title": row.title,
        "status": row.status,
        "detail": error.message,
        "instance": instance,
        "hint": error.hint,
        "code": "" if error.sentence.code == QUOTED else error.sentence.code,
        "fields": to_json(Sentence(error.sentence.code, dict(machine_fields(error.sentence))))["fields"],
    }
    return {name: value for name, value in document.items() if value not in ("", {})}


def error_from_problem(document: bytes | Mapping[str, object], table: ProblemTable = PROBLEMS) -> errors.AquilaError:
    """Return (not raise) the error in a problem document, of the same class if the table has its type.

    The document comes from a peer, who may lie: the sentence is the one that our own table has under the document's
    code. Where it has none, the texts are quoted: they are for people only, and are cut and stripped of control
    characters before they can reach a terminal. A type that the table does not know gives a plain AquilaError with the
    type in the field `problem`; bytes that are no problem document give a MalformedError.
    """
    content = _parsed(document) if isinstance(document, bytes) else document
    if content is None:
        return errors.MalformedError("peer_answer_not_problem_document")
    uri = _text(content.get("type"))
    kind = next((kind for kind, row in table.items() if row.uri == uri), None)
    named = from_json({"code": content.get("code", QUOTED), "fields": content.get("fields", {})})
    said = named if named and _is_whole(named) else None
    if said is None:
        text = _text(content.get("detail")) or _text(content.get("title")) or "the peer refused without a reason"
        said = quoted(text, _text(content.get("hint")))
        if named:
            said = Sentence(said.code, {**named.fields, **said.fields})
    return kind(said) if kind else errors.AquilaError(said, problem=uri)


def _is_whole(sentence: Sentence) -> bool:
    """Return whether our table has the sentence, and every place of it is filled, also in the sentences within it."""
    known = SENTENCES.get(sentence.code)
    if known is None or sentence.code == QUOTED:
        return False
    places = set(PLACE.findall(known.text + known.hint))
    inner = (value for name, value in sentence.fields.items() if name in places and isinstance(value, Sentence))
    return places <= set(sentence.fields) and all(_is_whole(one) for one in inner)


def _parsed(document: bytes) -> Mapping[str, object] | None:
    """Return the JSON object in the bytes, or None."""
    try:
        content = json.loads(document)
    except (ValueError, RecursionError):  # no JSON, no UTF-8, or nested until Python gives up
        return None
    return content if isinstance(content, dict) else None


def _text(value: object) -> str:
    """Return a peer's text, cut to a length and without control characters; nothing for any other value."""
    return printable(value) if isinstance(value, str) else ""
