"""Lists of another hand than those on which the matching was developed, and lists that are hard to match.

`python -m tests.quality.measuring.hard_sets` measures them and writes a table, which `docs/MATCHING.md` shows; it ends
with 1 where a level with 20 hits or more does not keep its promise, as one of them does not. It takes about ten
minutes, most of them for the lists of 200,000.
"""

import sys
from collections.abc import Iterator

from aquila.records.rules import load_rules
from clients.people.invent import MOSTLY_ARABIC
from tests.quality.measuring.bench import measure_set
from tests.quality.measuring.common_lists import GenerationSettings, common_lists
from tests.quality.measuring.labelled_sets import LabelledSet
from tests.quality.measuring.main import ALL_FIELDS
from tests.quality.measuring.report import level_table
from tests.quality.measuring.set_files import NAMES_AND_DATE
from tests.quality.populations import Population, populated_lists, strangers

RECORDS = 5_000
LONGEST = 200_000
_BULGARIAN = {"BG": {"BGR": 1.0}, "MK": {"BGR": 1.0}}


def hard_sets(records: int = RECORDS, longest: int = LONGEST) -> Iterator[LabelledSet]:
    """Yield sets one after another, with names and dates only where nothing else is said."""
    arabic = common_lists(records, 127, making=GenerationSettings(cultures=MOSTLY_ARABIC))
    yield arabic.only(NAMES_AND_DATE, f"mostly Arabic, 5 x {records:,}")
    shared = common_lists(records, 124, ("BA", "RS"), GenerationSettings(in_lists={2: 0.95}))
    yield shared.only(NAMES_AND_DATE, f"95 of 100 shared, 2 x {records:,}")
    for size in (records, longest // 10, longest // 4, longest):
        yield _two(size, 41)
    yield _two(longest, 42, Population(common=0.001), "1 of 1,000 shared")
    yield strangers(longest, 43).only(NAMES_AND_DATE)
    yield populated_lists(_sizes(longest // 4), 44, name=f"population, all fields, 2 x {longest // 4:,}").only(
        ALL_FIELDS
    )
    sizes = {"BG": 4 * records, "MK": 4 * records}
    bulgarian = populated_lists(sizes, 45, Population(cultures=_BULGARIAN), f"Bulgarian alone, 2 x {4 * records:,}")
    yield bulgarian.only(NAMES_AND_DATE)
    yield bulgarian.only(ALL_FIELDS, f"Bulgarian alone, all fields, 2 x {4 * records:,}")
    families = populated_lists(_sizes(records), 46, Population(related=0.6), f"large families, 2 x {records:,}")
    yield families.only(NAMES_AND_DATE)
    yield families.only(ALL_FIELDS, f"large families, all fields, 2 x {records:,}")
    kin = populated_lists(_sizes(records), 51, Population(kin=0.2), f"brothers in the other list, 2 x {records:,}")
    yield kin.only(NAMES_AND_DATE)
    yield _two(records, 47, Population(twice=0.3), "30 of 100 twice")
    unequal = populated_lists({"BA": longest // 2_000, "RS": longest}, 48, Population(common=0.3))
    yield unequal.only(NAMES_AND_DATE, f"{longest // 2_000:,} and {longest:,}")
    yield _two(records * 3 // 50, 49, Population(common=0.2), "short")


def _sizes(size: int) -> dict[str, int]:
    return {"BA": size, "RS": size}


def _two(size: int, seed: int, population: Population | None = None, kind: str = "population") -> LabelledSet:
    made = populated_lists(_sizes(size), seed, population or Population())
    return made.only(NAMES_AND_DATE, f"{kind}, 2 x {size:,}")


def main() -> int:
    """Measure the sets; return the exit status."""
    table = load_rules("default")
    results = [measure_set(one, table) for one in hard_sets()]
    print(level_table(results))
    broken = [sentence for result in results for sentence in result.unkept]
    print("\n".join(broken), file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
