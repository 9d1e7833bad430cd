"""What two lists teach, by the formulas of schemas/records/match-rules.md alone ("In formulas"), without arrays."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import log2
from typing import Any

Way = tuple[str, ...]
Shares = dict[str, float]
NONE, UNTOLD = "", "untold"
MOST_STEPS, CLOSE = 200, 1e-6


@dataclass(frozen=True)
class Mask:
    """How many pairs met under a mask, and what agrees in it."""

    pairs: float
    way: Way | None
    date: str
    context: str
    rest: float
    silent: frozenset[str]
    told: frozenset[str]


class Table:
    """A rule table as its JSON has it, and what follows from it for learning."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.parts: dict[str, Any] = {name: {"name": name, **part} for name, part in content["parts"].items()}
        self.rules: list[Any] = content["rules"]
        self.families: list[str] = sorted(content["families"])
        self.silences: Mapping[str, int] = content.get("silent", {})
        self.expected: float = content["expected_share"] / 1e6
        counted = content["counted"]
        self.names: list[str] = counted["names"]
        self.context_family: str = counted["context"]
        self.date_family: str = counted["date"]
        self.compared = [{*rule["parts"]} for rule in self.rules]
        self.dates = sorted(self.of(self.date_family), key=lambda name: -self.usual(name))
        contexts = self.of(self.context_family)
        unagreed = counted["unagreed"] / 1e6
        dated = sum(map(self.usual, self.dates))
        self.usual_dates = {name: (1 - unagreed) * self.usual(name) / dated for name in self.dates} | {NONE: unagreed}
        self.chance_dates = {name: self.chance(name) for name in self.dates} | {NONE: 1.0}
        self.usual_contexts = self._with_rest({name: self.usual(name) for name in contexts})
        self.chance_contexts = self._with_rest({name: self.chance(name) for name in contexts})
        self.without_usual = [
            family for family in self.families if not any(self.usual(name) for name in self.of(family))
        ]
        self._find_ways()

    @staticmethod
    def _with_rest(shares: Shares) -> Shares:
        return shares | {NONE: 1 - sum(shares.values())}

    def of(self, family: str) -> list[str]:
        return [name for name, part in self.parts.items() if part["family"] == family and not part.get("known")]

    def usual(self, name: str) -> float:
        return float(self.parts[name].get("usual", 0)) / 1e6

    def chance(self, name: str) -> float:
        return float(2 ** (self.parts[name].get("chance", 0) / 100))

    def shown(self, rule: Any) -> list[str]:
        return [name for name in (*rule["parts"], *rule.get("also", ())) if not self.parts[name].get("known")]

    def strongest(self, rules: Sequence[Any]) -> dict[str, str]:
        """7.1: of each family the strongest part that agrees."""
        found: dict[str, str] = {}
        for rule in sorted(rules, key=lambda one: int(one["number"])):
            for name in self.shown(rule):
                family = self.parts[name]["family"]
                if family not in found or self.parts[name]["bits"] > self.parts[found[family]]["bits"]:
                    found[family] = name
        return found

    def way(self, rules: Sequence[Any]) -> Way:
        found = self.strongest(rules)
        return tuple(found[family] for family in self.names if family in found) if self.names[0] in found else ()

    def silent(self, rules: Sequence[Any]) -> set[str]:
        """7.1 (a) to (d)."""
        agreed = self.strongest(rules)
        shown = {name for rule in rules for name in self.shown(rule)}
        first = self.names[0]

        def bits(name: str) -> int:
            return int(self.parts[name]["bits"])

        def told(family: str, rule: Any) -> bool:
            for name in rule["parts"]:
                others = [other for other in rule["parts"] if other != name]
                if self.parts[name]["family"] != family:
                    continue
                if {*others} <= shown:
                    return True
                strong = first in agreed and family != first and len(others) == 1
                if strong and self.parts[others[0]]["family"] == first and bits(agreed[first]) >= bits(others[0]):
                    return True
            return False

        def had(rule: Any) -> bool:
            others = [name for name in self.shown(rule) if self.parts[name]["family"] not in self.names]
            weak = [n for n in others if bits(agreed.get(self.parts[n]["family"], n)) < bits(n)]
            return rule in rules or bool(weak) or any(self.parts[n]["family"] not in agreed for n in others)

        def knows(family: str, rule: Any) -> bool:
            of = [self.parts[name] for name in rule["parts"]]
            return any(part.get("known") and part["family"] == family for part in of)

        return {
            family
            for family in self.families
            if family not in agreed
            and any(told(family, rule) for rule in self.rules)
            and all(had(rule) for rule in self.rules if knows(family, rule))
        }

    def _find_ways(self) -> None:
        of_names = [
            rule for rule in self.rules if {self.parts[name]["family"] for name in self.shown(rule)} <= {*self.names}
        ]
        some = (group for count in range(1, len(of_names) + 1) for group in combinations(of_names, count))
        self.alone = {way for group in some if (way := self.way(group))}
        self.ways = [*self.alone, *((name,) for name in self.of(self.names[0]) if (name,) not in self.alone)]
        first = {way[0] for way in self.alone}
        rare = {name for rule in self.rules if "most_records" in rule for name in rule["parts"]}
        whole = sum(map(self.usual, self.of(self.names[0])))
        self.pairs = [way for way in self.ways if way[0] in first]
        self.rare = [way for way in self.pairs if rare & {*way}]
        self.weak = {way for way in self.ways if self.parts[way[0]]["reads"].startswith("word:")}
        self.fixed = {way for way in self.ways if self.parts[way[0]].get("fixed")}
        self.dates_of = {way: [] if way in self.alone else self._dated(way[0]) for way in self.ways}
        self.single = [
            way
            for way in self.ways
            if way not in self.alone and not self.dates_of[way] and {way[0], self.dates[0]} in self.compared
        ]
        self.usual_ways = {
            way: self.usual(way[0]) / whole * (self._further(way, self.usual) if way in self.pairs else 1)
            for way in self.ways
        }
        self.chance_ways = {
            way: self.chance(way[0]) * (self._further(way, self.chance) if way in self.alone else 1)
            for way in self.ways
        }

    def _dated(self, name: str) -> list[str]:
        others = {other for rule in self.compared if name in rule and len(rule) == 2 for other in rule - {name}}
        return [] if self.dates[0] in others else [date for date in self.dates if date in others]

    def _further(self, way: Way, share: Callable[[str], float]) -> float:
        found = 1.0
        for family in self.names[1:]:
            parts = self.of(family)
            named = [name for name in parts if name in way]
            found *= share(named[0]) if named else 1 - sum(map(share, parts))
        return found

    def mask(self, numbers: Collection[int], pairs: float) -> Mask:
        rules = [rule for rule in self.rules if rule["number"] in numbers]
        agreed, silent, found = self.strongest(rules), self.silent(rules), self.way(rules)
        way = found if found in self.usual_ways else None
        date = agreed.get(self.date_family, NONE if self.date_family in silent else UNTOLD)
        context = agreed.get(self.context_family, NONE if self.context_family in silent else UNTOLD) if way else UNTOLD
        taken = {self.date_family, *(self.names if way else ())}
        taken |= {self.context_family} if context != UNTOLD else set()
        weights = {family: int(self.parts[name]["bits"]) for family, name in agreed.items()}
        weights |= {family: self.silences.get(family, 0) for family in silent}
        rest = sum(weight for family, weight in weights.items() if family not in taken) / 100
        free = {*self.without_usual} - taken
        return Mask(pairs, way, date, context, rest, frozenset(free & silent), frozenset(free & {*silent, *agreed}))


@dataclass(frozen=True)
class Weights:
    """The weights of two lists, in bits."""

    ways: dict[Way, float]
    dates: Shares
    contexts: dict[tuple[Way, str], float]


class Learner:
    """Two lists."""

    def __init__(self, table: Table, masks: Sequence[Mask], sizes: tuple[int, int]) -> None:
        self.table, self.masks, self.sizes = table, masks, sizes
        self.share = table.expected
        self.ways, self.dates, self.contexts = (
            dict(table.usual_ways),
            dict(table.usual_dates),
            dict(table.usual_contexts),
        )
        self.missing = dict.fromkeys(table.without_usual, 0.0)
        self.persons = [0.0] * len(masks)

    def learn(self) -> tuple[int, dict[str, int]]:
        weights = self._strangers()
        for _step in range(MOST_STEPS):
            before = [*weights.ways.values(), self.share]
            self._find_persons(weights)
            self._find_usual()
            weights = self._strangers()
            after = [*weights.ways.values(), self.share]
            if all(abs(old - new) <= CLOSE * (1 + abs(new)) for old, new in zip(before, after, strict=True)):
                break
        return round(1e6 * self.share), self._stated(weights)

    def _sum(
        self, of: Sequence[float], ways: Collection[Way], dates: Collection[str], contexts: Collection[str] = ()
    ) -> float:
        """Add up what is of some ways and dates, and of some contexts where any are named."""
        return sum(
            one
            for one, mask in zip(of, self.masks, strict=True)
            if mask.way in ways and mask.date in dates and (not contexts or mask.context in contexts)
        )

    def _strangers(self) -> Weights:
        """1."""
        table, whole = self.table, self.table.dates[0]
        met = [mask.pairs for mask in self.masks]
        strangers = [mask.pairs - person for mask, person in zip(self.masks, self.persons, strict=True)]
        pairs = float(self.sizes[0]) * self.sizes[1]
        alone = self._sum(strangers, table.alone, [NONE])
        dates = {
            date: (self._sum(strangers, table.alone, [date]) + 2) / (alone + 2 / table.chance_dates[date])
            for date in table.dates
        } | {NONE: 1.0}
        dates[whole] = table.chance_dates[whole]
        expected = sum(table.chance_ways[way] for way in table.alone)
        every = {date for found in table.dates_of.values() for date in found}
        dated = self._sum(strangers, table.pairs, every) + 3
        grown = max(
            (alone + 3) / (pairs * expected + 3), dated / (pairs * expected * sum(dates[date] for date in every) + 3)
        )
        factor = {way: max(1.0, grown) ** 0.5 if way in table.weak else grown for way in table.ways}
        seldom, often = self._by_singles(met, pairs, dates, factor)
        chance = {}
        for way in table.ways:
            among = pairs * sum(dates[date] for date in table.dates_of[way])
            seen = self._sum(strangers, [way], table.dates_of[way]) + 1
            if way in table.alone:
                chance[way] = (self._sum(strangers, [way], [NONE]) + 1) / (pairs + 1 / table.chance_ways[way])
            elif among and way in table.pairs:
                chance[way] = min(seen / among, expected * grown)
            elif among:
                chance[way] = seen / (among + 1 / table.chance_ways[way])
            else:
                chance[way] = table.chance_ways[way] * factor[way] * (seldom if way in table.single else 1)
        dates |= {date: dates[date] * often[date] for date in often if date != whole}
        decade = [date for date in table.dates if table.parts[date]["reads"] == "birth:decade"]
        dates[whole] = max(dates[whole], *(dates[date] / 8 for date in decade))
        for way in table.ways:
            if way not in table.alone and not table.dates_of[way]:
                chance[way] *= table.chance_dates[whole] / dates[whole]
        return Weights(
            {way: log2(self.ways[way]) - log2(min(0.3, chance[way])) for way in table.ways},
            {date: log2(self.dates[date]) - log2(share) for date, share in dates.items()},
            self._of_contexts(met),
        )

    def _by_singles(
        self, met: Sequence[float], pairs: float, dates: Shares, factor: Mapping[Way, float]
    ) -> tuple[float, Shares]:
        table, fewer, more = self.table, list[float](), Shares()
        for date in table.dates:
            ways = [way for way in table.single if {way[0], date} in table.compared]
            if ways:
                expected = pairs * dates[date] * sum(table.chance_ways[way] * factor[way] for way in ways) + 3
                seen = self._sum(met, ways, [date])
                of_pairs = sum(map(table.usual_ways.__getitem__, table.pairs))
                share = sum(table.usual_ways[way] for way in ways) / of_pairs
                fewer.append((seen + 3) / expected)
                more[date] = (max(0.0, seen - 2 * share * self._sum(met, table.pairs, [date])) + 3) / expected
        least = max(1.0, min(more.values()))
        return min(1.0, 1.15 * max(fewer)), {date: max(1.0, factor / least) for date, factor in more.items()}

    def _of_contexts(self, met: Sequence[float]) -> dict[tuple[Way, str], float]:
        table, found = self.table, dict[tuple[Way, str], float]()
        parts = [context for context in self.contexts if context != NONE]
        if not any(mask.way and mask.context in parts for mask in self.masks):
            return dict.fromkeys(((way, context) for way in table.ways for context in self.contexts), 0.0)
        for way in table.ways:
            own = way in table.alone or bool(table.dates_of[way])
            ways, dates = ([way] if own else [*table.alone]), table.dates_of[way] or [NONE]
            told = self._sum(met, ways, dates, [*self.contexts])
            chance = {
                context: (self._sum(met, ways, dates, [context]) + 3 * table.chance_contexts[context]) / (told + 3)
                for context in self.contexts
            }
            for context in self.contexts:
                together = [context] if own or context == NONE else parts
                usual = sum(self.contexts[one] for one in together)
                found[way, context] = log2(usual) - log2(sum(chance[one] for one in together))
        return found

    def _find_persons(self, weights: Weights) -> None:
        """2."""
        found = []
        for mask in self.masks:
            bits = log2(self.share / max(self.sizes)) + mask.rest + sum(self.missing[family] for family in mask.silent)
            bits += 0 if mask.date == UNTOLD else weights.dates[mask.date]
            bits += weights.ways[mask.way] if mask.way else 0
            bits += weights.contexts[mask.way, mask.context] if mask.way and mask.context != UNTOLD else 0
            odds = 2.0 ** max(-200.0, min(200.0, bits))
            found.append(mask.pairs * odds / (1 + odds))
        self.persons = found

    def _find_usual(self) -> None:
        """3."""
        table, persons = self.table, self.persons
        ways = {way: self._sum(persons, [way], table.dates) for way in table.ways}
        usual, before = dict(table.usual_ways), table.usual_ways
        rare = sum(before[way] for way in table.rare) / sum(before[way] for way in table.pairs)
        share = sum(ways[way] for way in table.rare) + 10 * rare
        share /= sum(ways[way] for way in table.pairs) + 10
        for way in table.pairs:
            usual[way] *= share / rare if way in table.rare else (1 - share) / (1 - rare)
        self.ways = _blended(ways, usual, 100) | {way: usual[way] for way in table.fixed}
        dates = {date: self._sum(persons, table.alone, [date]) for date in self.dates}
        self.dates = _blended(dates, table.usual_dates, 100)
        self.dates[NONE] = min(0.25, self.dates[NONE])
        contexts = {one: self._sum(persons, table.ways, table.dates, [one]) for one in self.contexts}
        self.contexts = _blended(contexts, table.usual_contexts, 50)
        both = list(zip(persons, self.masks, strict=True))
        for family in self.missing:
            silent = sum(one for one, mask in both if family in mask.silent)
            told = sum(one for one, mask in both if family in mask.told)
            self.missing[family] = log2((silent + 100) / (told + 100))
        nameless = sum(one for one, mask in both if mask.way is None)
        found = self._sum(persons, table.ways, table.dates) / (1 - self.dates[NONE]) + nameless
        self.share = min(1.0, max(table.expected / 50, found / min(self.sizes)))

    def _stated(self, weights: Weights) -> dict[str, int]:
        table = self.table
        bits = {name: part["bits"] / 100 for name, part in table.parts.items()}
        found = {f"{family}: silent": weight for family, weight in self.missing.items()}
        for date, weight in weights.dates.items():
            plain = table.silences.get(table.date_family, 0) / 100 if date == NONE else bits[date]
            found[f"{table.date_family}: silent" if date == NONE else date] = weight - plain
        for way, weight in weights.ways.items():
            label, plain = f"{table.names[0]}: {' + '.join(way)}", sum(bits[name] for name in way)
            found[label] = weight - plain
            for context in self.contexts:
                shown = context or f"{table.context_family}: silent"
                less = bits[context] if context else table.silences.get(table.context_family, 0) / 100
                found[f"{label} + {shown}"] = weight + weights.contexts[way, context] - plain - less
        return {name: centibits for name, weight in found.items() if (centibits := round(100 * weight))}


def _blended(found: Mapping[Any, float], usual: Mapping[Any, float], belief: float) -> dict[Any, float]:
    total, whole = sum(found.values()), sum(usual.values())
    return {one: (found[one] + belief * share) / (total + belief * whole) * whole for one, share in usual.items()}
