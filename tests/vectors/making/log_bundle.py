"""The matcher's log of the whole round, exported, and copies of it that an audit refuses (PROTOCOL.md 10.4, 10.6)."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from aquila.audit.entries import Entry, EntryKind
from aquila.crypto.keys import IdentityKey
from aquila.protocol.auditing import UnprovenClaim, audit_rounds, compare, read_log
from aquila.protocol.encoding import canonical
from aquila.protocol.log_entries import refused_entry
from aquila.protocol.messages import Closing, Consent, LevelCounts, Message, Outcomes, Statement, Submission
from aquila.protocol.registry import MATCHER, Registry
from tests.support.exported import CODES, Exported
from tests.vectors.making.theme import Theme, group, octets
from tests.vectors.making.whole_round import Played, played

Files: TypeAlias = dict[str, bytes]
START, WHEN, DAY = 1_800_000_000, 1_800_000_300, 86_400

ABOUT = """
The exported log of a matcher after `whole_round.json`, of a round that AL left: an audit passes, and says what is
not proven. Others are the same log with changed files, or as a matcher could write it anew with its own key and
those of all witnesses. `node` is a log of SI after its list.
"""
SOURCE = "own: entries, statements and statistics by the product, heads with hashlib"
OPERATIONS = """
audit: the files of a log, changed as `changes` says, and the keys of `registry` (of one that was replaced: a list, the
    oldest first) to the words of what an audit does not prove, `uncovered` of (13) with its party, in any order; it is
    refused where a check fails, and `comment` has the number of the check. A change names a file, maybe the one `of`
    which it is made (else it is itself), and how many bytes of that stay in front and behind; between them is `put`. A
    file that is gone is null
audit_node: the same of the files of `node`
compare: both logs, changed as `changes` and `node_changes` say, to the words of 10.6.2 alone, and not those of either
    log by itself
"""


def make() -> Theme:
    theme = Theme("log_bundle", ABOUT, SOURCE, OPERATIONS)
    whole = played()
    theme.shared = {
        "registry": {"matcher": whole.registry.matcher.hex}
        | {code: party.key.hex for code, party in sorted(whole.registry.parties.items())},
        "files": whole.files,
    }
    unproven = found(whole.files, whole.registry)
    assert {one["what"] for one in unproven} == {"uncovered"}
    theme.valid("honest", "audit", "10.6", {"changes": {}}, unproven, "AL was away, and cosigned no ending")
    _parts_of_logs(theme, whole)
    for name, (check, change) in CHANGES.items():
        log = Exported(dict(whole.files), whole.registry, dict(whole.keys))
        change(log)
        paragraph = "10.7" if check == 12 else "10.6"
        theme.invalid(name, "audit", paragraph, {"changes": changes(whole.files, log.files)}, "audit", f"({check})")
    return theme


def found(files: Files, registry: Registry) -> list[dict[str, str]]:
    """Return what an audit does not prove, by word and party."""
    record = read_log(files.get, registry)
    rounds = audit_rounds(record, files.get, registry, group())
    return words([*record.unproven, *(one for audit in rounds for one in audit.unproven)])


def together(files: Files, node: Files, registry: Registry) -> list[dict[str, str]]:
    """Return what two logs that are held together do not prove."""
    logs = [read_log(one.get, registry) for one in (files, node)]
    for log, one in zip(logs, (files, node), strict=True):
        audit_rounds(log, one.get, registry, group())
    return words(compare(logs, registry))


def words(claims: Iterable[UnprovenClaim]) -> list[dict[str, str]]:
    return [{"what": one.what} | {k: str(v) for k, v in one.sentence.fields.items() if k == "party"} for one in claims]


def _parts_of_logs(theme: Theme, whole: Played) -> None:
    """Logs that lack contents or have a new key, a node's log, and two logs together."""
    for name, (paragraph, check, change) in PARTS.items():
        log = Exported(dict(whole.files), whole.registry, dict(whole.keys))
        change(log)
        given = {"changes": changes(whole.files, log.files)} | _registry(log)
        if check:
            theme.invalid(name, "audit", paragraph, given, "audit", f"({check})")
        else:
            theme.valid(name, "audit", paragraph, given, found(log.files, log.registry))
    node = _node(whole)
    theme.shared["node"] = dict(node.files)
    theme.valid("node", "audit_node", "10.6", {"changes": {}}, found(node.files, node.registry))
    one = _node(whole)
    at = one.index("approved", 1)
    one.change(at, person=one.entry(at - 1).person)
    one.sign_anew(witnesses=(MATCHER,))
    unproven = found(one.files, one.registry)
    assert [claim["what"] for claim in unproven] == ["dual_control"]
    theme.valid("list_that_one_person_wanted", "audit_node", "10.6.1", {"changes": _of(node, one)}, unproven)
    given = {"changes": {}, "node_changes": {}}
    theme.valid("logs_that_agree", "compare", "10.6.2", given, together(whole.files, node.files, node.registry))
    more = _node(whole)
    _say_more(more)
    more.sign_anew(witnesses=())
    given["node_changes"] = _of(node, more)
    unproven = together(whole.files, more.files, node.registry)
    assert [claim["what"] for claim in unproven] == ["not_entered"]
    theme.valid("statement_that_may_not_have_been_sent", "compare", "10.6.2", given, unproven)
    more.sign_anew(witnesses=(MATCHER,), seen=[(more.size, START)])
    given = given | {"node_changes": _of(node, more)}
    theme.invalid("statement_that_the_matcher_left_out", "compare", "10.6.2", given, "audit")


def _registry(log: Exported) -> dict[str, Any]:
    """Return the registry of a vector where a key was replaced."""
    keys = {holder: [key.hex for key in log.registry.keys_of(holder)] for holder in (MATCHER, *log.registry.parties)}
    if max(map(len, keys.values())) == 1:
        return {}
    return {"registry": {holder: each if len(each) > 1 else each[0] for holder, each in keys.items()}}


def _of(node: Exported, changed: Exported) -> dict[str, Any]:
    return changes(node.files, changed.files)


def _node(whole: Played) -> Exported:
    """Return the log of SI after its list: what two persons wanted, and what it said."""
    log = Exported(dict(whole.files), whole.registry, dict(whole.keys))
    said = [at for at in log.statements_of("SI") if log.entry(at).counts["sequence"] <= 3]
    contents, envelopes = list[bytes](), list[bytes]()
    for at in said:
        for entry in _approvals(log.message(at), whole):
            contents.append(entry.content())
            envelopes.append(b"")
        contents.append(log.contents[at])
        envelopes.append(log.envelopes[at])
    log.holder, log.contents, log.envelopes = "SI", contents, envelopes
    kept = {name: content for name, content in log.files.items() if name.startswith(("registry", "tile/0/"))}
    log.files = kept | {"checkpoint": f"{log.registry.origin_of('SI')}\n".encode()}
    log.sign_anew(witnesses=(MATCHER,))
    return log


def _approvals(message: Message, whole: Played) -> Iterator[Entry]:
    """Yield request and approval of a consent or a list (10.2.1)."""
    content: dict[str, Any]
    names = {"digests": {}, "ids": {}}  # type: dict[str, dict[str, str]]
    if isinstance(message, Consent):
        manifest = message.manifest_digest
        elements = message.elements.model_dump(mode="json")
        content = {"kind": "consent", "manifest_digest": manifest, "manifest": manifest, "elements": elements}
    elif isinstance(message, Submission):
        names["digests"]["import"] = octets("what the second person sees of the list").hex()
        content = {
            "kind": "submission",
            "manifest_digest": whole.round.manifest_digest,
            "submission_id": message.submission_id,
            "submission_kind": message.kind.value,
            "justification": message.justification.model_dump(mode="json"),
            "import": names["digests"]["import"],
        }
    else:
        return
    author, approver = (f"p-{octets(f'{who} of SI', 6).hex()}" for who in ("officer", "approver"))
    content["round_id"] = message.round_id
    digests = names["digests"] | {"content": hashlib.sha256(canonical(content)).hexdigest()}
    ids = {"approval": octets(f"approval of {content['kind']}", 16).hex(), "what": content["kind"], "author": author}
    for kind, person in ((EntryKind.APPROVAL_REQUESTED, author), (EntryKind.APPROVED, approver)):
        entry = Entry.of(kind, START, "SI", round=message.round_id, person=person, digests=digests, ids=ids)
        yield entry.salted(octets(f"salt of {kind} of {content['kind']}", 16).hex())


def _say_more(log: Exported) -> None:
    """Let SI have said something more in its own log."""
    last = log.message(log.size - 1)
    assert isinstance(last, Submission)
    common = {"round_id": last.round_id, "party": "SI", "binding": last.binding, "log_head": last.log_head}
    log.sign(Outcomes(sequence=last.sequence + 1, pairs=(), **common), START)


def _leave_out(log: Exported, *places: int, counted: bool = True) -> None:
    """Leave entries out of the copy of a log, as its owner says."""
    for place in places:
        log.contents[place] = log.envelopes[place] = b""
    rounds = {_round(log): len(places)} if counted else {}
    listed = {"entries": [[place, place + 1] for place in places], "rounds": rounds}
    log.files["left_out.json"] = json.dumps(listed).encode()
    log.files.pop(_statistics(log))
    log.write_bundles()


def _round(log: Exported) -> str:
    return _statistics(log).removeprefix("statistics/").removesuffix(".json")


def _erase(log: Exported, days: int, witnesses: tuple[str, ...] = CODES) -> None:
    """Erase all contents after a time, and write the log anew."""
    at, size = WHEN, log.size
    then = at + days * DAY
    log.append(Entry.of(EntryKind.LOG_EXPORTED, then, MATCHER))
    log.append(Entry.of(EntryKind.LOG_PRUNED, then, MATCHER, counts={"size": size, "days": 1_095}))
    leaves = {place: log.leaf(place) for place in range(size)}
    for place in range(size):
        log.contents[place] = log.envelopes[place] = b""
    log.files.pop(_statistics(log))
    seen = [(size, at), (size + 1, then), (size + 2, then)]
    log.sign_anew(seen=seen, leaves=leaves, witnesses=witnesses)


def _erase_with_a_clock_ahead(log: Exported) -> None:
    """Erase all contents at once, with the help of AL, which dates a cosignature three years ahead."""
    size = log.size
    log.append(Entry.of(EntryKind.LOG_EXPORTED, WHEN, MATCHER))
    log.append(Entry.of(EntryKind.LOG_PRUNED, WHEN, MATCHER, counts={"size": size, "days": 1_095}))
    leaves = {place: log.leaf(place) for place in range(size)}
    for place in range(size):
        log.contents[place] = log.envelopes[place] = b""
    log.files.pop(_statistics(log))
    log.sign_anew(seen=[(size + more, WHEN) for more in range(3)], leaves=leaves, witnesses=("RS", "SI"))
    log.cosign(size, "AL", WHEN)
    log.cosign(size + 1, "AL", WHEN + 1_095 * DAY)


def _renew(log: Exported, *, in_time: bool) -> None:
    """Let SI have another key from an entry on, and say something with that one, or with the former one."""
    before, after = log.keys["SI"], IdentityKey(octets("renewed identity of SI"))
    digests = {"former": before.public.fingerprint, "key": after.public.fingerprint}
    log.append(Entry.of(EntryKind.KEY_REPLACED, WHEN, MATCHER, recipient="SI", digests=digests))
    known = log.registry
    parties = {**known.parties, "SI": replace(known.parties["SI"], key=after.public)}
    log.registry = Registry(known.matcher, parties, {"SI": known.keys_of("SI")})
    last = log.message(log.statements_of("SI")[-1])
    assert isinstance(last, Statement)
    log.keys["SI"] = after if in_time else before
    common = {"round_id": last.round_id, "party": "SI", "binding": getattr(last, "binding"), "log_head": last.log_head}  # noqa: B009
    log.sign(Outcomes(sequence=last.sequence + 1, pairs=(), **common), WHEN)
    log.keys["SI"] = after
    log.sign_anew(witnesses=("RS", "SI"))
    log.cosign_at(log.index("submission", 2) + 1, "AL")


def _refuse(log: Exported, *, is_shown: bool) -> None:
    """Let SI say something more after what the matcher says that it refused, with or without its envelope."""
    closing = log.message(next(at for at in log.all_of("closing") if log.entry(at).party == "SI"))
    assert isinstance(closing, Closing)
    highest = max(log.entry(at).counts.get("sequence", 0) for at in range(log.size) if log.entry(at).party == "SI")
    at = log.sign(closing.model_copy(update={"sequence": highest + 1}), WHEN)
    again = log.message(at)
    assert isinstance(again, Statement)
    log.contents[at] = refused_entry(again, log.entry(at).digests["statement"], WHEN).content()
    if not is_shown:
        log.envelopes[at] = b""
    common = {"round_id": closing.round_id, "party": "SI", "binding": closing.binding, "log_head": closing.log_head}
    log.sign(Outcomes(sequence=highest + 2, pairs=(), **common), WHEN)
    log.sign_anew(witnesses=("RS", "SI"))
    log.cosign_at(log.index("submission", 2) + 1, "AL")


def _open_without(log: Exported, at: int) -> None:
    """Let AL have answered nothing, and the round have opened at a time: that is all there is of it."""
    log.drop(log.index("consent"))
    opening = log.index("opening")
    log.leave_out(*range(opening + 1, log.size))
    log.files.pop(_statistics(log))
    log.name_anew()
    log.change(opening, time=at)
    log.sign_anew()


def _uncosigned_closing(log: Exported, seconds: int) -> None:
    """Let RS have cosigned the ending and not its closing, and SI have cosigned all, some seconds after that."""
    closing = log.index("closing")
    log.sign_anew(witnesses=("SI",), seen=[(log.size, log.entry(closing).time + seconds)])
    log.cosign_at(closing, "RS")
    log.cosign_at(log.index("submission", 2) + 1, "AL")


def _cosigned_ending(log: Exported, seconds: int) -> None:
    """Let all have cosigned the ending, and more some seconds later; AL closes nothing."""
    log.sign_anew(seen=[(log.size - 1, WHEN), (log.size, WHEN + seconds)])


PARTS: dict[str, tuple[str, int, Callable[[Exported], None]]] = {
    "opening_without_an_answer_on_the_last_second": ("3.3.4", 9, lambda log: _open_without(log, START)),
    "opening_without_an_answer_a_second_later": ("3.3.4", 0, lambda log: _open_without(log, START + 1)),
    "closing_that_its_party_did_not_cosign_in_a_day": ("10.6", 0, lambda log: _uncosigned_closing(log, DAY)),
    "closing_that_its_party_did_not_cosign_in_more": ("10.6", 13, lambda log: _uncosigned_closing(log, DAY + 1)),
    "ending_cosigned_for_a_day_without_a_closing": ("10.6", 0, lambda log: _cosigned_ending(log, DAY)),
    "ending_cosigned_for_more_without_a_closing": ("10.6", 0, lambda log: _cosigned_ending(log, DAY + 1)),
    "copy_that_leaves_a_closing_out": ("10.9", 0, lambda log: _leave_out(log, log.index("closing", 1))),
    "copy_that_leaves_more_out_than_it_says": (
        "10.9",
        11,
        lambda log: _leave_out(log, log.index("closing", 1), counted=False),
    ),
    "contents_erased_after_three_years": ("10.8", 0, lambda log: _erase(log, 1_095)),
    "contents_erased_a_day_too_early": ("10.8", 6, lambda log: _erase(log, 1_094)),
    "contents_erased_after_three_years_by_the_owners_clock": (
        "10.8",
        6,
        lambda log: _erase(log, 1_095, witnesses=(MATCHER,)),
    ),
    "contents_erased_by_the_clock_of_a_witness_that_is_ahead": ("10.8", 6, _erase_with_a_clock_ahead),
    "registry_of_before_a_party_joined": ("10.6", 0, lambda log: _lack_party(log, "AL")),
    "statement_that_was_refused": ("10.6", 0, lambda log: _refuse(log, is_shown=True)),
    "statement_that_is_said_to_have_been_refused": ("10.6", 0, lambda log: _refuse(log, is_shown=False)),
    "statement_by_a_renewed_key": ("11.9.4", 0, lambda log: _renew(log, in_time=True)),
    "statement_by_a_replaced_key": ("11.9.4", 8, lambda log: _renew(log, in_time=False)),
}


def changes(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, Any]:
    """Return what differs, file by file."""
    said: dict[str, Any] = dict.fromkeys(sorted(before.keys() - after.keys()))
    for name in sorted(after):
        kind = name.rsplit("/", 1)[0]
        of = name if name in before else min((one for one in before if one.rsplit("/", 1)[0] == kind), default=name)
        old, new = before.get(of, b""), after[name]
        if name in before and old == new:
            continue
        most = min(len(old), len(new))
        front = next((place for place in range(most) if old[place] != new[place]), most)
        behind = next((n for n in range(most - front) if old[-1 - n] != new[-1 - n]), most - front)
        put = new[front : len(new) - behind]
        said[name] = ({} if of == name else {"of": of}) | {"front": front, "behind": behind, "put": put}
    return said


def _flip(log: Exported, name: str, place: int) -> None:
    content = log.files[name]
    log.put(name, content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])


def _replace(log: Exported, name: str, before: bytes, after: bytes) -> None:
    assert before in log.files[name]
    log.put(name, log.files[name].replace(before, after, 1))


def _statistics(log: Exported) -> str:
    return next(name for name in log.files if name.startswith("statistics/"))


def _first(log: Exported) -> str:
    return min((name for name in log.files if name.startswith("checkpoints/1")), key=len)


def _other_key(log: Exported) -> None:
    before = log.registry.matcher.fingerprint.encode()
    _replace(log, "registry.json", before, IdentityKey(bytes(32)).public.fingerprint.encode())


def _lack_party(log: Exported, code: str) -> None:
    """Let the log's registry lack a party that an auditor's has."""
    named = json.loads(log.files["registry.json"])
    del named[code]
    log.files["registry.json"] = canonical(named)


def _anew(change: Callable[[Exported], None]) -> Callable[[Exported], None]:
    """Let a matcher write the log anew after a change, with the keys of all witnesses."""

    def changed(log: Exported) -> None:
        change(log)
        log.sign_anew()

    return changed


def _without(kind: str, number: int = 0) -> Callable[[Exported], None]:
    return _anew(lambda log: log.drop(log.index(kind, number)))


def _another_count(log: Exported) -> None:
    at = log.index("match")
    log.change(at, counts=log.entry(at).counts | {"high": 2})


def _lacking_nothing(log: Exported) -> None:
    """A round is said to lack an entry, and no entry is left out."""
    log.files["left_out.json"] = json.dumps({"entries": [], "rounds": {_round(log): 1}}).encode()


def _consent_without_digest(log: Exported) -> None:
    log.change(log.index("consent"), digests={})
    log.envelopes[log.index("consent")] = b""


def _another_receipt(log: Exported) -> None:
    log.say(log.index("receipt"), hits=LevelCounts(high=2, medium=0, low=0))


def _twice(log: Exported) -> None:
    at = log.index("closing")
    log.contents.append(log.contents[at])
    log.envelopes.append(log.envelopes[at])


def _without_envelope(log: Exported) -> None:
    log.envelopes[log.index("receipt")] = b""
    log.write_bundles()


def _dated_late(log: Exported) -> None:
    at = log.index("closing", 1)
    log.change(at, time=log.entry(at).time + 601)
    log.sign_anew(seen=[(log.size, log.entry(at).time - 601)])


CHANGES: dict[str, tuple[int, Callable[[Exported], None]]] = {
    "registry_names_another_key": (1, _other_key),
    "checkpoint_changed": (2, lambda log: _flip(log, "checkpoint", 5)),
    "checkpoint_signature_changed": (2, lambda log: _replace(log, "checkpoint", b" aquila-log", b" Aquila-log")),
    "tile_changed": (3, lambda log: _flip(log, log.tile(), 40)),
    "saved_checkpoint_is_missing": (4, lambda log: log.files.pop(_first(log)) and None),
    "saved_checkpoint_of_another_size": (4, lambda log: _flip(log, "checkpoints/index", 0)),
    "entry_changed": (5, lambda log: _flip(log, log.bundle(), 30)),
    "round_that_lacks_more_than_is_left_out": (5, _lacking_nothing),
    "entry_dated_after_a_cosignature_of_it": (6, _dated_late),
    "statement_is_missing": (8, _without_envelope),
    "entry_of_a_consent_without_its_digest": (8, _anew(_consent_without_digest)),
    "statement_changed": (8, lambda log: _flip(log, log.said(), 3_000)),
    "statement_twice": (8, _anew(_twice)),
    "entry_of_the_opening_is_missing": (9, _without("opening")),
    "entry_of_a_report_is_missing": (9, _without("report")),
    "entry_of_locks_is_missing": (9, _without("locks")),
    "match_of_another_number_of_hits": (10, _anew(_another_count)),
    "receipt_of_another_number_of_hits": (9, _anew(_another_receipt)),
    "entry_of_a_check_is_missing": (11, _without("checked")),
    "entry_of_a_confirmation_is_missing": (10, _without("note_received")),
    "statistics_changed": (12, lambda log: _replace(log, _statistics(log), b'"high":3', b'"high":4')),
}
