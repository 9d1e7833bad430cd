"""The releases that homes, messages and databases in use may be of, as the changelog names them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def released_versions() -> set[str]:
    """Return the releases so far."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return set(re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE))
