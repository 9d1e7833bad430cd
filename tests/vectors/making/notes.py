"""Keys of notes, marks, a note, a batch, and what is wrong with others (PROTOCOL.md 3.7.5 to 3.7.8)."""

import json
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

from aquila.crypto.keys import SealingKey
from aquila.matching.certainty import GradingBasis, grade_on
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import HitReport
from aquila.records.rules import load_rules, mask_of
from tests.support.samples import ROUND, SAMPLES
from tests.vectors.making import definition, sealing
from tests.vectors.making.theme import DIFFERS, Theme, octets

BINDING, HIT = octets("binding"), octets("hit id", 16)
SIZES = {"AL": 1_000, "SI": 2_000}
HANDLES = {party: octets(f"handle at {party}", 16) for party in SIZES}
COMMON = [(1, "names and date"), (5, "date"), (16, "document")]
OWN = {"AL": [(6, "similar names of AL")], "SI": [(6, "similar names of SI"), (11, "place of SI")]}
SEAL = {party: octets(f"sealing key of {party}") for party in SIZES}

ABOUT = """
One hit of the lists of AL and SI under the table `default`: the digests of what was reported, the keys of AL's note
for SI, its marks, the sealed note, a batch of it, and what SI finds. Each side has four or five tokens of its
record, of which three met.
"""
SOURCE = """
own: hashlib, hmac, AES, AES-GCM-SIV and AES-GCM of the `cryptography` package, ML-KEM-768 as FIPS 203 writes it;
level and families by the product (`grading.json`)
"""
OPERATIONS = """
told: both sizes, in the order of the parties, the report's basis without its records, level, whether the pair is
    second, families and hit id to the digests `basis`, `grade` and `told` of 3.7.8
keys: binding, hit id, sender, receiver, both handles, and of the tokens that met, ascending, rule and token secret,
    to the info and both keys
marks: the second key and tokens to their marks
seal: the first key, the note (UTF-8), its marks, filled up, and the nonce to the sealed note
batch: binding, sender, receiver, number of the batch, its entries (hit id and sealed note), the receiver's X-Wing
    key and 64 bytes of randomness, as in `locks.json`, to info and sealed batch
open: binding, sender, receiver, number of the batch, how many notes were signed, the seed of the receiver's X-Wing
    key and the sealed batch to its entries
verify: the receiver's report (payload of the message), how many records it and its counterpart signed, its tokens
    of the record with rules and token secrets, and the entries of a batch, to the note. The class is the fault of
    the hit
"""


def make() -> Theme:
    theme = Theme("notes", ABOUT, SOURCE, OPERATIONS)
    made = _Made()
    _told(theme, made)
    _keys(theme, made)
    _batches(theme, made)
    _verified(theme, made)
    return theme


def tokens_of(party: str) -> list[dict[str, Any]]:
    """Return the tokens of a party's record in ascending order; those in common are the same."""
    every = [
        {"token": octets(f"token of {name}", 16), "rule": rule, "secret": octets(f"secret of {name}")}
        for rule, name in (*COMMON, *OWN[party])
    ]
    return sorted(every, key=lambda one: one["token"])


class _Made:
    """The hit as both sides have it."""

    def __init__(self) -> None:
        self.table = load_rules("default")
        self.common = {octets(f"token of {name}", 16) for _, name in COMMON}
        self.basis = {name: one for name, one in SAMPLES[HitReport]["basis"].items() if name != "records"}
        learned = tuple((one["of"], one["centibits"]) for one in self.basis["learned"])
        terms = *SIZES.values(), self.basis["common_per_million"], self.basis["duplicates_per_million"]
        grade = grade_on(
            self.table, mask_of(rule for rule, _ in COMMON), GradingBasis(*terms, self.basis["settled"], learned)
        )
        assert grade.level is not None
        self.level, self.families = grade.level.value, list(grade.families)
        self.met = [one for one in tokens_of("SI") if one["token"] in self.common]
        self.told = told(self.basis, self.level, self.families)
        self.info, self.seal, self.mark = keys(self.met, HIT, "AL", "SI")
        self.nonce = octets("nonce of the note", 12)

    def note(self, **changes: Any) -> bytes:
        """Return AL's note as JSON."""
        content = {
            "source_evaluation": "B",
            "information_evaluation": "2",
            "handling_code": "H0",
            "category": "suspects",
            "reference": "AL-0A1B-2C3D-4E5F",
            "contact": "Njësia",
            "report": self.told["told"].hex(),
        }
        return json.dumps(content | changes, ensure_ascii=False, separators=(",", ":")).encode()

    def marks(self, tokens: list[bytes] | None = None) -> bytes:
        """Return 32 marks: those of AL's tokens, filled up."""
        own = [one["token"] for one in tokens_of("AL")] if tokens is None else tokens
        found = marks(self.mark, own)
        filling = [octets(f"mark {place}", 5) for place in range(32 - len(found))]
        return b"".join(sorted([*found, *filling]))

    def sealed(self, note: bytes | None = None, marked: bytes | None = None, key: bytes | None = None) -> bytes:
        content = self.note() if note is None else note
        return seal(key or self.seal, content, self.marks() if marked is None else marked, self.nonce)

    def report(self, **changes: Any) -> bytes:
        """Return what SI was told."""
        own = tokens_of("SI")
        places = bytes(place for place, one in enumerate(own) if one["token"] in self.common)
        hit = {
            "hit_id": HIT.hex(),
            "handle": HANDLES["SI"].hex(),
            "counterpart_handle": HANDLES["AL"].hex(),
            "certainty": self.level,
            "families": self.families,
            "second": False,
            "met": places.hex(),
        }
        content = SAMPLES[HitReport] | {
            "round_id": ROUND,
            "binding": BINDING.hex(),
            "party": "SI",
            "counterpart": "AL",
            "submission_id": None,
            "basis": self.basis | {"records": SIZES["AL"]},
            "hits": [hit | changes],
        }
        return canonical(content)


def told(basis: dict[str, Any], level: str, families: list[str], hit: bytes = HIT) -> dict[str, bytes]:
    """3.7.8."""
    learned = [[one["of"], one["centibits"]] for one in basis["learned"]]
    shown = canonical({"sizes": list(SIZES.values()), "basis": basis, "learned": learned})
    first = definition.digest("aquila/2 basis", shown)
    grade = definition.digest("aquila/2 grade", first, level.encode(), b"\x00", *(one.encode() for one in families))
    return {"basis": first, "grade": grade, "told": definition.digest("aquila/2 told", grade, hit)}


def keys(met: list[dict[str, Any]], hit: bytes, sender: str, receiver: str) -> tuple[bytes, bytes, bytes]:
    """3.7.5."""
    rules = bytes(one["rule"] for one in met)
    parts = [BINDING, hit, sender.encode(), receiver.encode(), HANDLES[sender], HANDLES[receiver], rules]
    info = definition.framed("aquila/2 note", *parts)
    made = definition.hkdf_sha512(BINDING, b"".join(one["secret"] for one in met), info)
    return info, made[:32], made[32:]


def marks(key: bytes, tokens: list[bytes]) -> list[bytes]:
    return [Cipher(AES256(key), ECB()).encryptor().update(one)[:5] for one in tokens]


def seal(key: bytes, note: bytes, marked: bytes, nonce: bytes) -> bytes:
    """3.7.6."""
    content = (len(note).to_bytes(2, "big") + note).ljust(640, b"\x00") + marked
    return nonce + AESGCMSIV(key).encrypt(nonce, content, None)


def info_of(sender: str, receiver: str, number: int) -> bytes:
    return definition.framed(
        "aquila/2 notes", BINDING, sender.encode(), receiver.encode(), b"", number.to_bytes(4, "big")
    )


def _told(theme: Theme, made: _Made) -> None:
    given = {
        "sizes": list(SIZES.values()),
        "basis": made.basis,
        "level": made.level,
        "second": False,
        "families": made.families,
        "hit_id": HIT,
    }
    theme.valid("told", "told", "3.7.8", given, made.told)
    with_records = told(made.basis | {"records": SIZES["AL"]}, made.level, made.families)
    theme.invalid("told_with_the_records_of_one_side", "told", "3.7.8", given, DIFFERS, gives=with_records)
    another = told(made.basis, made.level, made.families, octets("another hit", 16))
    theme.invalid("told_of_another_hit", "told", "3.7.8", given, DIFFERS, gives=another)


def _keys(theme: Theme, made: _Made) -> None:
    met = [{"rule": one["rule"], "secret": one["secret"]} for one in made.met]
    handles = {"sender_handle": HANDLES["AL"], "receiver_handle": HANDLES["SI"]}
    given = {"binding": BINDING, "hit_id": HIT, "sender": "AL", "receiver": "SI", **handles, "met": met}
    right = {"info": made.info, "seal": made.seal, "mark": made.mark}
    theme.valid("keys", "keys", "3.7.5", given, right)
    info, first, second = keys(made.met, HIT, "SI", "AL")
    wrong = {
        "keys_of_the_other_direction": {"info": info, "seal": first, "mark": second},
        "keys_swapped": {"info": made.info, "seal": made.mark, "mark": made.seal},
        "keys_of_descending_tokens": dict(
            zip(("info", "seal", "mark"), keys(made.met[::-1], HIT, "AL", "SI"), strict=True)
        ),
    }
    for name, gives in wrong.items():
        theme.invalid(name, "keys", "3.7.5", given, DIFFERS, gives=gives)
    own = [one["token"] for one in tokens_of("AL")]
    theme.valid("marks", "marks", "3.7.5", {"mark": made.mark, "tokens": own}, marks(made.mark, own))
    given = {"seal": made.seal, "note": made.note().decode(), "marks": made.marks(), "nonce": made.nonce}
    theme.valid("note", "seal", "3.7.6", given, made.sealed())


def _batches(theme: Theme, made: _Made) -> None:
    entries = [{"hit_id": HIT, "sealed": made.sealed()}]
    plain = HIT + made.sealed()
    randomness, public = octets("encapsulation of the batch", 64), SealingKey(SEAL["SI"]).public
    terms = {"binding": BINDING, "sender": "AL", "receiver": "SI", "number": 0}
    info = info_of("AL", "SI", 0)
    sealed = sealing.seal(public, info, plain, randomness)
    given = terms | {"entries": entries, "sealing_key": public, "randomness": randomness}
    theme.shared |= {"batch": sealed, "receiver_seed": SEAL["SI"]}
    theme.valid("batch", "batch", "3.7.6", given, {"info": info, "sealed": sealed})
    opening = terms | {"notes": 1, "sealing": SEAL["SI"]}
    theme.valid("batch_opened", "open", "3.7.6", opening, entries)
    for name, changes in {
        "batch_under_another_number": {"number": 1},
        "batch_of_another_sender": {"sender": "RS"},
        "batch_for_another_receiver": {"receiver": "RS"},
        "batch_of_another_round": {"binding": octets("another binding")},
        "batch_of_a_query": {"submission_id": octets("a query", 16)},
        "batch_sealed_to_another_key": {"sealing": SEAL["AL"]},
    }.items():
        theme.invalid(name, "open", "3.7.6", opening | changes, "seal")
    theme.invalid("batch_of_fewer_notes_than_signed", "open", "3.7.6", opening | {"notes": 2}, "malformed")
    odd = sealing.seal(public, info, plain + b"\x00", randomness)
    theme.invalid("batch_with_half_a_mark", "open", "3.7.6", opening | {"batch": odd}, "malformed")


def _verified(theme: Theme, made: _Made) -> None:
    entry = {"hit_id": HIT, "sealed": made.sealed()}
    given = {
        "report": made.report().decode(),
        "sizes": [SIZES["SI"], SIZES["AL"]],
        "tokens": tokens_of("SI"),
        "entries": [entry],
    }
    theme.valid("note_verified", "verify", "3.7.8", given, made.note().decode())
    coded = made.note(indicators=["T1", "F12"])
    entries = [entry | {"sealed": made.sealed(coded)}]
    theme.valid("note_with_indicators", "verify", "3.7.6.1", given | {"entries": entries}, coded.decode())

    def refused(name: str, kind: str, **changes: Any) -> None:
        theme.invalid(name, "verify", "3.7.8", given | changes, kind)

    def sealed(**changes: Any) -> list[dict[str, Any]]:
        return [entry | {"sealed": made.sealed(**changes)}]

    def report(**changes: Any) -> str:
        return made.report(**changes).decode()

    refused("note_of_a_record_that_is_not_there", "foreign", report=report(handle=bytes(16).hex()))
    refused("note_on_a_place_that_is_not_there", "foreign", report=report(met="0005"))
    refused("note_on_a_place_twice", "foreign", report=report(met="0000"))
    refused("note_on_no_place", "foreign", report=report(met=""))
    refused("note_of_a_lower_level", "level", report=report(certainty="low"))
    refused("note_of_a_family_less", "level", report=report(families=made.families[:-1]))
    refused("note_of_a_pair_called_second", "told", report=report(second=True))
    without = keys(made.met[:-1], HIT, "AL", "SI")[1]
    refused("note_sealed_without_one_secret", "sealed", entries=sealed(key=without))
    refused("note_sealed_in_the_other_direction", "sealed", entries=sealed(key=keys(made.met, HIT, "SI", "AL")[1]))
    other_hit = keys(made.met, octets("another hit", 16), "AL", "SI")[1]
    refused("note_sealed_for_another_hit", "sealed", entries=sealed(key=other_hit))
    whole = entry["sealed"]
    refused("note_changed", "sealed", entries=[entry | {"sealed": whole[:-1] + bytes([whole[-1] ^ 1])}])
    refused("note_of_random_bytes", "sealed", entries=[entry | {"sealed": octets("no note", len(whole))}])
    refused("note_with_another_member", "unreadable", entries=sealed(note=made.note(name="Ana")))
    refused("note_without_a_contact", "unreadable", entries=sealed(note=made.note(contact=None)))
    refused("note_with_an_indicator_of_no_number", "unreadable", entries=sealed(note=made.note(indicators=["T"])))
    refused("note_with_nine_indicators", "unreadable", entries=sealed(note=made.note(indicators=["T1"] * 9)))
    other = told(made.basis, made.level, made.families, octets("another hit", 16))["told"].hex()
    refused("note_on_what_was_told_of_another_hit", "told", entries=sealed(note=made.note(report=other)))
    lower = told(made.basis, "low", made.families)["told"].hex()
    refused("note_of_who_was_told_a_lower_level", "told", entries=sealed(note=made.note(report=lower)))
    marked = [one["token"] for one in tokens_of("AL")]
    also = next(one["token"] for one in tokens_of("SI") if one["token"] not in made.common)
    refused("note_marks_a_token_that_was_not_reported", "withheld", entries=sealed(marked=made.marks([*marked, also])))
    fewer = [one for one in marked if one != made.met[0]["token"]]
    refused("note_does_not_mark_a_token_that_was_reported", "unreadable", entries=sealed(marked=made.marks(fewer)))
    unknown = {"hit_id": octets("another hit", 16), "sealed": whole}
    refused("note_of_a_hit_that_was_not_reported", "unreported", entries=[unknown])
    refused("note_twice", "repeated", entries=[entry, entry])
