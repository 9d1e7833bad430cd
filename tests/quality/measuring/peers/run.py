"""Peers started, and measured at the threshold that the labels say is best for them."""

import json
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from aquila.records.normalize.names import name_words, to_latin
from aquila.records.person import Record
from tests.quality.measuring.labelled_sets import LabelledSet, Pair

PEERS = {
    "Bloom filters": ("bloom_pairs.py",),
    "Splink": ("splink_pairs.py", "each"),
    "Splink, whole names": ("splink_pairs.py", "whole"),
}
"""Each peer's script and what it is told."""
_SECONDS = 1_800
_NO_LINES = "said nothing"


def _latin(text: str) -> str:
    letters = unicodedata.normalize("NFD", to_latin(text))
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()


def _folded(text: str) -> str:
    return " ".join(name_words(text))


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as written": str.casefold,
    "in Latin letters": _latin,
    "regional spelling folded": _folded,
}
"""How names are given to the peers; the last form is this project's."""


@dataclass(frozen=True, slots=True)
class PeerResult:
    """What a peer reaches on a set."""

    peer: str
    spelling: str
    f1: float | None
    reason: str = ""
    version: str = ""


def exact_key(labelled: LabelledSet, spelling: str) -> PeerResult:
    """Equality of given names, family names and date of birth."""
    places: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for party, rows in _lists(labelled, spelling).items():
        for record_id, *key in rows:
            if all(key):
                places.setdefault((key[0], key[1], key[2]), []).append((party, record_id))
    pairs = [
        (Pair(*one, *other), 1.0) for found in places.values() for one in found for other in found if one[0] < other[0]
    ]
    return PeerResult("exact key", spelling, best_f1(pairs, labelled))


def run_peer(peer: str, labelled: LabelledSet, spelling: str, python: Path) -> PeerResult:
    """Run a peer in its environment; one that cannot run says why."""
    file, *told = PEERS[peer]
    path = Path(__file__).with_name(file)
    with tempfile.TemporaryDirectory(prefix="aquila-") as scratch:
        lists = Path(scratch) / "lists.json"
        lists.write_text(json.dumps({"lists": _lists(labelled, spelling)}), "utf-8")
        try:
            run = subprocess.run(
                [str(python), str(path), str(lists), *told],
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return PeerResult(peer, spelling, None, type(error).__name__)
        if run.returncode:
            return PeerResult(peer, spelling, None, (run.stderr.strip().splitlines() or [_NO_LINES])[-1])
        found = json.loads(run.stdout)
    pairs = [(_ordered(*pair[:4]), float(pair[4])) for pair in found["pairs"]]
    return PeerResult(peer, spelling, best_f1(pairs, labelled), version=found["peer"])


def best_f1(pairs: Iterable[tuple[Pair, float]], labelled: LabelledSet) -> float:
    """Return F1 at the threshold of likeness that serves best, which only the labels can tell."""
    best, right, wrong = 0.0, 0, 0
    ordered = sorted(pairs, key=lambda pair: -pair[1])
    for place, (pair, likeness) in enumerate(ordered):
        if pair in labelled.same:
            right += 1
        elif labelled.judged is None or pair in labelled.judged:
            wrong += 1
        if place + 1 == len(ordered) or ordered[place + 1][1] < likeness:
            best = max(best, 2 * right / (right + wrong + len(labelled.same)))
    return best


def _lists(labelled: LabelledSet, spelling: str) -> dict[str, list[list[str]]]:
    written = SPELLINGS[spelling]
    return {party: [_row(record, written) for record in records] for party, records in labelled.lists.items()}


def _row(record: Record, written: Callable[[str], str]) -> list[str]:
    """Return record id, given names, family names, date; of a name that is not split the last word is the family's."""
    given, family = " ".join(record.given_names), " ".join(record.family_names)
    if record.full_name:
        given, _, family = record.full_name.rpartition(" ")
    return [record.record_id, written(given), written(family), str(record.date_of_birth or "")]


def _ordered(party_a: str, record_a: str, party_b: str, record_b: str) -> Pair:
    if party_a < party_b:
        return Pair(party_a, record_a, party_b, record_b)
    return Pair(party_b, record_b, party_a, record_a)
