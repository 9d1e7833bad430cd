"""The commands of the ceremony, as `deploy/OPERATIONS.md` gives them: one list for each of its four steps."""

from __future__ import annotations

import re
from pathlib import Path

OPERATIONS = Path(__file__).parents[2] / "deploy" / "OPERATIONS.md"


def ceremony_commands() -> list[list[str]]:
    """Return the commands of the four steps in their order."""
    chapter = OPERATIONS.read_text("utf-8").split("## Set up\n")[1].split("\n### ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", chapter, re.DOTALL)
    assert len(blocks) == 4, "the chapter has four steps"
    return [block.strip().splitlines() for block in blocks]
