"""Bloom-filter encodings: clkhash encodes names and dates by bigrams, anonlink compares by the Dice coefficient."""

import json
import sys
from importlib.metadata import version
from itertools import combinations
from pathlib import Path

import anonlink
from clkhash import clk
from clkhash.schema import from_json_dict

_LEAST = 0.7


def _feature(name: str, bits: int, form: str) -> dict[str, object]:
    """Describe how one field is encoded."""
    return {
        "identifier": name,
        "format": {"type": "string", "encoding": "utf-8", "case": form},
        "hashing": {
            "comparison": {"type": "ngram", "n": 2},
            "strategy": {"bitsPerFeature": bits},
            "hash": {"type": "doubleHash"},
        },
    }


SCHEMA: dict[str, object] = {
    "version": 3,
    "clkConfig": {
        "l": 1024,
        "xor_folds": 0,
        "kdf": {"type": "HKDF", "hash": "SHA256", "info": "", "salt": "", "keySize": 64},
    },
}
_FEATURES = (
    {"identifier": "record_id", "ignored": True},
    _feature("given", 200, "mixed"),
    _feature("family", 200, "mixed"),
    _feature("born", 200, "mixed"),
    _feature("place", 100, "mixed"),
    _feature("nation", 50, "mixed"),
)
_ALWAYS = 4


def main() -> None:
    lists = json.loads(Path(sys.argv[1]).read_text("utf-8"))["lists"]
    rows = [row for one in lists.values() for row in one]
    columns = [number for number in range(len(_FEATURES)) if number < _ALWAYS or any(row[number] for row in rows)]
    schema = from_json_dict({**SCHEMA, "features": [_FEATURES[number] for number in columns]})
    encoded = {
        party: clk.generate_clks(
            [[row[number] for number in columns] for row in rows], schema, "an agreed secret", max_workers=1
        )
        for party, rows in lists.items()
    }
    pairs = []
    for one, other in combinations(sorted(lists), 2):
        likeness, _, (left, right) = anonlink.candidate_generation.find_candidate_pairs(
            [encoded[one], encoded[other]], anonlink.similarities.dice_coefficient, _LEAST
        )
        for dice, i, j in zip(likeness, left, right, strict=True):
            pairs.append([one, lists[one][i][0], other, lists[other][j][0], dice])
    json.dump({"peer": f"clkhash {version('clkhash')}, anonlink {version('anonlink')}", "pairs": pairs}, sys.stdout)


if __name__ == "__main__":
    main()
