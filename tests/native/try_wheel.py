"""Try an installed wheel: which backend it chooses, and one vector of RFC 9496. Run by `make wheel`."""

from __future__ import annotations

import sys
from pathlib import Path

import aquila
from aquila.crypto.backend import load_group
from aquila.crypto.group import GENERATOR
from aquila.crypto.native.batch import load_core
from aquila.errors import InputError

TWICE = "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919"
"""RFC 9496 appendix A.1, multiple 2."""


def main() -> int:
    """Return 0 if the wheel works and chose what the first argument asks for (`auto`: what this machine can run)."""
    wanted = sys.argv[1]
    try:
        load_core()
        best = "native"
    except InputError:
        best = "sodium"
    group = load_group()
    right = group.multiply(GENERATOR, (2).to_bytes(32, "little")).hex() == TWICE
    sys.stdout.write(f"{Path(aquila.__file__).parent}: {group.name}, {group.reason}\n")
    return 0 if right and group.name == (best if wanted == "auto" else wanted) else 1


if __name__ == "__main__":
    sys.exit(main())
