"""Try an installed wheel: which backend it chooses, a vector of RFC 9496, a round by its command. By `make wheel`."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import aquila
from aquila.crypto.backend import BACKENDS, load_group
from aquila.crypto.group import GENERATOR, Group
from aquila.crypto.hashing import digests_core
from aquila.errors import InputError
from clients.people.nationals import invent_national

TWICE = "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919"
"""RFC 9496 appendix A.1, multiple 2."""


def main() -> int:
    """Return 0 if the wheel works and has the backends that are asked for.

    `libsodium` alone, or `auto`: the portable one at least, and the first of those that can be used is chosen.
    """
    groups = list(_groups())
    names = [group.name for group in groups]
    right = all(group.multiply(GENERATOR, (2).to_bytes(32, "little")).hex() == TWICE for group in groups)
    chosen = load_group()
    sys.stdout.write(f"{Path(aquila.__file__).parent}: {chosen.name} of {', '.join(names)}; {chosen.reason}\n")
    whole = names == ["libsodium"] if sys.argv[1] == "libsodium" else names[-2:] == ["portable", "libsodium"]
    built = (digests_core() is not None) == (sys.argv[1] == "auto")  # there is a compiler where every backend is wanted
    return 0 if right and whole and built and chosen.name == names[0] and _plays_a_round() else 1


def _groups() -> Iterator[Group]:
    """Yield the group of each backend that can be used, the fastest first."""
    for backend in BACKENDS:
        with suppress(InputError):
            yield load_group(1, backend)


def _plays_a_round() -> bool:
    """Tell whether the installed command has its tables, and finds the one person of two lists."""
    command = Path(sys.executable).parent / "aquila"
    subprocess.run([command, "--version"], check=True)
    for words in (["rules", "list"], ["call", "--list"]):
        subprocess.run([command, *words], check=True, stdout=subprocess.DEVNULL)
    assert invent_national("SI", Random(1)).person.given, "the invented persons have no names"
    with tempfile.TemporaryDirectory() as folder:
        for party, name in (("RS", "Ана"), ("SI", "Ana")):
            rows = f"record_id,given_names,family_names,date_of_birth\n1,{name},Novak,1980-03-04\n"
            (Path(folder) / f"{party}.csv").write_text(rows, encoding="utf-8")
        lists = [word for party in ("RS", "SI") for word in ("--party", f"{party}={folder}/{party}.csv")]
        hits = Path(folder) / "hits.csv"
        subprocess.run(
            [command, "rehearse", *lists, "--out", hits, "--workers", "1"], check=True, stdout=subprocess.DEVNULL
        )
        return len(hits.read_text(encoding="utf-8").splitlines()) == 2


if __name__ == "__main__":
    sys.exit(main())
