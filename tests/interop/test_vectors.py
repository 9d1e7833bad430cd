"""The vectors of `schemas/vectors`, recomputed in JavaScript from `schemas/` alone, with none of our code."""

import json
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

READER = Path(__file__).with_name("vectors.mjs")

NOT_READ = {
    "chunk": {"nonce"},
    "grading": {"grade", "settle", "learn", "least_share", "declared", "explained"},
    "log": {"entry"},
    "normalizer": {"answers", "reference", "inputs", "date", "record", "table"},
    "notes": {"verify"},
    "registry": {"words", "heard"},
    "statements": {"take", "propose"},
    "whole_round": {"submission", "evaluation", "column", "hits", "notes", "replay", "phases"},
}
"""The operations by file that the reader does not have: what takes the rule tables, the normalizer or a whole node."""


def test_a_stranger_gets_what_the_vectors_say() -> None:
    node = shutil.which("node")
    assert node, "install Debian's nodejs and npm, then `npm ci` in tests/interop"
    ran = subprocess.run([node, str(READER)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    left = defaultdict(set)
    for one in found:
        if one["wrong"] == "nobody reads it":
            left[one["file"]].add(one["operation"])
    assert dict(left) == NOT_READ
    assert [one for one in found if one["wrong"] not in (None, "nobody reads it")] == []
    assert sum(one["wrong"] is None for one in found) > 450
