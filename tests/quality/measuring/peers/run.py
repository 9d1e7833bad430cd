"""Peers started, and measured at the threshold that the labels say is best for them."""

import json
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from aquila.records.normalize.names import name_words, to_latin
from aquila.records.person import Record
from tests.quality.measuring.labelled_sets import LabelledSet, Pair
from tests.quality.measuring.measures import Ranked, rank

PEERS = {
    "Bloom filters": ("bloom_pairs.py",),
    "Splink": ("splink_pairs.py", "each"),
    "Splink, whole names": ("splink_pairs.py", "whole"),
}
"""Each peer's script and what it is told."""
_FAST_PEERS = ("Bloom filters", "Splink")
_LARGE = 50_000  # records of all lists; larger sets get only the peers that are fast enough, in one spelling
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
    ranked: Ranked | None
    reason: str = ""
    version: str = ""

    @property
    def f1(self) -> float | None:
        """F1 at the threshold that is best by the labels; None if the peer did not run."""
        return self.ranked.best.f1 if self.ranked else None


def is_large(labelled: LabelledSet) -> bool:
    """Return whether a set is too long for all peers and spellings."""
    return sum(map(len, labelled.lists.values())) > _LARGE


def compared(labelled: LabelledSet, peers: Path | None) -> Iterator[PeerResult]:
    """Yield what each peer reaches in each spelling; one that leaves the names as another does is not run again.

    Args:
        labelled: The set.
        peers: Their environment; without it only the exact key is measured.
    """
    large = is_large(labelled)
    known: list[tuple[dict[str, list[list[str]]], list[PeerResult]]] = []
    for spelling in list(SPELLINGS)[-1:] if large else SPELLINGS:
        lists = _lists(labelled, spelling)
        found = next((results for rows, results in known if rows == lists), [])
        if not found:
            found = [exact_key(labelled, spelling)]
            for peer in _FAST_PEERS if large else PEERS:
                if peers is not None:
                    found.append(run_peer(peer, labelled, spelling, peers / "bin" / "python"))
            known.append((lists, found))
        yield from (replace(one, spelling=spelling) for one in found)


def exact_key(labelled: LabelledSet, spelling: str) -> PeerResult:
    """Equality of given names, family names and date of birth."""
    places: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for party, rows in _lists(labelled, spelling).items():
        for record_id, given, family, born, *_ in rows:
            if given and family and born:
                places.setdefault((given, family, born), []).append((party, record_id))
    pairs = [
        (Pair(*one, *other), 1.0) for found in places.values() for one in found for other in found if one[0] < other[0]
    ]
    return PeerResult("exact key", spelling, rank(pairs, labelled))


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
    return PeerResult(peer, spelling, rank(pairs, labelled), version=found["peer"])


def _lists(labelled: LabelledSet, spelling: str) -> dict[str, list[list[str]]]:
    written = SPELLINGS[spelling]
    return {party: [_row(record, written) for record in records] for party, records in labelled.lists.items()}


def _row(record: Record, written: Callable[[str], str]) -> list[str]:
    """Return what the peers read of a record (`peers`); of a name that is not split the last word is the family's."""
    given, family = " ".join(record.given_names), " ".join(record.family_names)
    if record.full_name:
        given, _, family = record.full_name.rpartition(" ")
    other = written(record.place_of_birth or ""), ";".join(record.nationality)
    return [record.record_id, written(given), written(family), str(record.date_of_birth or ""), *other]


def _ordered(party_a: str, record_a: str, party_b: str, record_b: str) -> Pair:
    if party_a < party_b:
        return Pair(party_a, record_a, party_b, record_b)
    return Pair(party_b, record_b, party_a, record_a)
