"""What a node and an auditor in JavaScript, written from `schemas/` alone, make of `schemas/vectors`."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

HERE = Path(__file__).parent
VECTORS = HERE.parents[1] / "schemas/vectors"

NOT_READ = {
    "grading: explained": "queries, which the node does not make",
    "grading: learn": "only the matcher learns",
    "grading: settle": "only the matcher knows all pairs",
    "registry: heard": "words for people, who type them",
    "registry: words": "words for people, who read them out",
}
"""The operations by file that neither answers, and why."""


def output(program: str) -> str:
    node = shutil.which("node")
    assert node, "install Debian's nodejs and npm, then `npm ci` in tests/interop"
    ran = subprocess.run([node, str(HERE / program)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def all_vectors() -> Counter[str]:
    """Count the vectors of each operation by file."""
    found = Counter[str]()
    for path in VECTORS.glob("*.json"):
        found.update(f"{path.stem}: {one['operation']}" for one in json.loads(path.read_text("utf-8"))["vectors"])
    return found


def test_strangers_get_what_the_vectors_say() -> None:
    """Each vector is answered by the node, or by the auditor, or there is a reason why it is not."""
    by_node = output("node/vectors-check.mjs")
    left = set(re.findall(r"^left out (\w+: \w+)", by_node, re.MULTILINE))
    [(passed, failed)] = re.findall(r"^(\d+) passed, (\d+) failed", by_node, re.MULTILINE)
    by_auditor = [json.loads(line) for line in output("auditor/vectors.mjs").splitlines()]
    read = {f"{one['file']}: {one['operation']}" for one in by_auditor}
    assert left - read == NOT_READ.keys()
    assert [one for one in by_auditor if one["wrong"] is not None] == []
    every = all_vectors()
    assert (int(passed), failed) == (sum(count for name, count in every.items() if name not in left), "0")
    assert len(by_auditor) == sum(every[name] for name in read)
