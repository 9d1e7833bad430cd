"""The names of a culture, each with its share: given names of a word list, family names by the culture's morphology.

Shares follow the law of Zipf and Mandelbrot, `1 / (rank + shift) ** slope`, as counted names of whole populations do:
few names are borne by many, most by hardly anyone.
"""

import csv
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate, product
from pathlib import Path
from random import Random

_FAMILY_SLOPE, _FAMILY_SHIFT = 0.85, 8.0
_GIVEN_SLOPE, _GIVEN_SHIFT = 0.95, 3.0
_STEMS = Path(__file__).with_name("stems.toml")
_VOWELS = "aeiouаеиоуăâîëöüı"
_FEWEST = 2
"""How often a given name was counted at least; what was counted once is often mistyped."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Names by rank, with the sums of their shares."""

    names: tuple[str, ...]
    sums: tuple[float, ...]

    def draw(self, random: Random) -> str:
        """Draw a name as often as it is borne."""
        return random.choices(self.names, cum_weights=self.sums)[0]


@cache
def given_names(culture: str, sex: str) -> Inventory:
    """The given names of a culture for F or M, most usual first."""
    text = resources.files("clients.people").joinpath("names.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        if (row["culture"], row["kind"], row["sex"]) == (culture, "given", sex):
            counted = [one.rpartition(":") for one in row["names"].split(" ")]
            names = [word for word, _, count in counted if int(count) >= _FEWEST]
            return _inventory(names, _GIVEN_SLOPE, _GIVEN_SHIFT)
    raise KeyError(culture)


@cache
def family_names(culture: str) -> Inventory:
    """The family names of a culture in their male form, most usual first; which ones are usual is drawn once."""
    content = tomllib.loads(_STEMS.read_text("utf-8"))
    stems = content["stems"][content["cultures"][culture]["stems"]].split()
    endings = [ending.strip("-") for ending in content["cultures"][culture]["endings"].split()]
    names = sorted({_joined(stem, ending) for stem, ending in product(stems, endings)})
    Random(culture).shuffle(names)
    return _inventory(names, _FAMILY_SLOPE, _FAMILY_SHIFT)


def _joined(stem: str, ending: str) -> str:
    """A stem with an ending; of two vowels that would meet, the stem's goes."""
    return stem.rstrip(_VOWELS) + ending if ending and ending[0] in _VOWELS else stem + ending


def _inventory(names: Sequence[str], slope: float, shift: float) -> Inventory:
    return Inventory(tuple(names), tuple(accumulate((rank + shift) ** -slope for rank in range(1, len(names) + 1))))
