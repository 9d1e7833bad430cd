"""The matcher's log of the whole round, exported, and copies of it that an audit refuses (PROTOCOL.md 10.4, 10.6)."""

from collections.abc import Callable
from typing import Any

from aquila.crypto.keys import IdentityKey
from aquila.protocol.auditing import audit_rounds, read_log
from aquila.protocol.messages import LevelCounts
from aquila.protocol.registry import Registry
from tests.support.exported import Exported
from tests.vectors.making.theme import Theme, group
from tests.vectors.making.whole_round import played

ABOUT = """
The exported log of a matcher after `whole_round.json`, of a round that AL left: an audit passes, and says what is
not proven. Others are the same log with changed files, or as a matcher could write it anew with its own key and
those of all witnesses.
"""
SOURCE = "own: entries, statements and statistics by the product, heads with hashlib"
OPERATIONS = """
audit: the files of a log, changed as `changes` says, and the keys of `registry` to what an audit does not prove; it
    is refused where a check fails, and `comment` has the number of the check. A change names a file, maybe the one
    `of` which it is made (else it is itself), and how many bytes of that stay in front and behind; between them is
    `put`. A file that is gone is null
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
    for name, (check, change) in CHANGES.items():
        log = Exported(dict(whole.files), whole.registry, dict(whole.keys))
        change(log)
        paragraph = "10.7" if check == 12 else "10.6"
        theme.invalid(name, "audit", paragraph, {"changes": changes(whole.files, log.files)}, "audit", f"({check})")
    return theme


def found(files: dict[str, bytes], registry: Registry) -> list[dict[str, str]]:
    """Return what an audit does not prove, by word and party."""
    record = read_log(files.get, registry)
    rounds = audit_rounds(record, files.get, registry, group())
    claims = [*record.unproven, *(one for audit in rounds for one in audit.unproven)]
    return [{"what": one.what} | {k: str(v) for k, v in one.sentence.fields.items() if k == "party"} for one in claims]


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
    "entry_dated_after_a_cosignature_of_it": (6, _dated_late),
    "statement_is_missing": (8, _without_envelope),
    "statement_changed": (8, lambda log: _flip(log, log.said(), 3_000)),
    "statement_twice": (8, _anew(_twice)),
    "entry_of_the_opening_is_missing": (9, _without("opening")),
    "entry_of_a_report_is_missing": (9, _without("report")),
    "entry_of_locks_is_missing": (9, _without("locks")),
    "match_of_another_number_of_hits": (10, _anew(_another_count)),
    "receipt_of_another_number_of_hits": (10, _anew(_another_receipt)),
    "entry_of_a_check_is_missing": (11, _without("checked")),
    "entry_of_a_confirmation_is_missing": (10, _without("note_received")),
    "statistics_changed": (12, lambda log: _replace(log, _statistics(log), b'"high":3', b'"high":4')),
}
