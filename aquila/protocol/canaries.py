"""Canaries: hits that two nodes know beforehand, so that a matcher which hides hits is found out (PROTOCOL.md 3.7.12).

Each two parties that may be matched derive canaries from their X25519 keys of the round and its binding: how many,
under which rules each should meet, and the input digests that both send. A canary rides on a dummy record, which copies
a real one's rules; so it meets under those of its rules that both carriers have. To the matcher it is a record like
others.

It shows hits that a matcher leaves out or grades differently without looking at them. It shows nothing where the
matcher looks: a canary has exactly one equal token a rule, and its carriers meet no other record, which few persons'
hits have in common (docs/THREAT_MODEL.md). Nor does it show what a matcher does which one of the two parties tells its
canaries.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from math import log2
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from aquila.crypto.streams import BLOCK_BYTES, derive
from aquila.errors import MalformedError
from aquila.matching.certainty import MILLION, GradingBasis, Level, grade_on
from aquila.matching.learning import BELIEF, LEAST_SHARE, least_common_per_million
from aquila.protocol.encoding import framed
from aquila.protocol.messages import LevelCounts, PairCanaries
from aquila.protocol.rounds.exchange import grading_basis_on
from aquila.protocol.submissions.padding import DIGEST_BYTES
from aquila.records.rules import mask_of, numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from aquila.crypto.keys import ExchangeKey, SecretBytes
    from aquila.protocol.messages import Canaries, HitReport
    from aquila.protocol.rounds.verified_round import Round
    from aquila.records.rules import RuleTable

CARRIER_TRIES = 16
_RULES = 64
_SPREAD = 4  # the number of canaries is drawn within a fourth of the manifest's
_SAFETY = 1.25  # of what rounds of the same lists may differ by: the most that was seen is 1.01 of it without
_MOST_SHARE = 3.0  # bits by which they move the share of common persons, at most
_CHANCE = 0.55  # bits by which canaries move what is counted of chance, at most
_FLOOR_BITS = 3  # below the least share: honest bases lie above it, by measurement
_MASK_BYTES = 8
_NONCE = bytes(12)
_CARRIED = "carried"


@dataclass(frozen=True, slots=True, repr=False)
class Canary:
    """One canary as both parties derive it.

    Attributes:
        counterpart: The other party.
        number: Its place among those of the pair, from 0.
        mask: Under which rules it should meet; bit `n - 1` stands for rule number n.
        digests: The input digest under each of these rules, by number.
    """

    counterpart: str
    number: int
    mask: int
    digests: Mapping[int, bytes]


class CanaryCarrier(NamedTuple):
    """The carrier of a canary: the real record whose rules its dummy copies, and those of its own that these have."""

    source: int
    mask: int


def pair_key(round_: Round, own: str, exchange: ExchangeKey, counterpart: str, purpose: str) -> SecretBytes:
    """Return a key that two parties of a round share and nobody else (PROTOCOL.md 3.7.12).

    Args:
        round_: The record of the round, which is open.
        own: This party.
        exchange: Its exchange key of the round.
        counterpart: The other one.
        purpose: What the key is for; no two purposes share one.

    Raises:
        MalformedError: The other one's exchange key has small order.
    """
    low, high = sorted((own, counterpart))
    context = framed(
        "aquila/1 canaries", round_.first_binding, low.encode(), high.encode(),
        *(bytes.fromhex(round_.consents[party].exchange_key) for party in (low, high)), purpose.encode(),
    )  # fmt: skip
    return exchange.agree(bytes.fromhex(round_.consents[counterpart].exchange_key), context)


def canaries_of(round_: Round, table: RuleTable, own: str, exchange: ExchangeKey) -> tuple[Canary, ...]:
    """Return the canaries that a party's list carries, in the order of counterparts and numbers.

    Args:
        round_: The record of the round, which is open.
        table: The round's match rules.
        own: The party.
        exchange: Its exchange key of the round.

    Raises:
        MalformedError: A counterpart's exchange key has small order.
    """
    if not round_.manifest.canaries:
        return ()
    found: list[Canary] = []
    for counterpart in sorted(round_.counterparts_of(own)):
        with pair_key(round_, own, exchange, counterpart, "canaries") as key:
            found += _of_pair(table, key, counterpart, round_.manifest.canaries)
    return tuple(found)


def most_canaries(usual: int) -> int:
    """Return the greatest number of canaries of a pair, given the number in the manifest."""
    return usual + usual // _SPREAD


def _of_pair(table: RuleTable, key: SecretBytes, counterpart: str, usual: int) -> list[Canary]:
    spread = usual // _SPREAD
    count = usual - spread + _draws(key, "number", [0])[0] % (2 * spread + 1)
    masks = [mask for mask, _ in table.hits]
    bounds = np.cumsum([often for _, often in table.hits])
    places = [draw % int(bounds[-1]) for draw in _draws(key, "pattern", range(count))]
    canaries = []
    for number, place in enumerate(places):
        mask = masks[int(np.searchsorted(bounds, place, side="right"))]
        rules = numbers_of(mask)
        drawn = derive(key, framed("aquila/1 canary input"), [number * _RULES + rule for rule in rules], DIGEST_BYTES)
        digests = {rule: drawn[n * DIGEST_BYTES : (n + 1) * DIGEST_BYTES] for n, rule in enumerate(rules)}
        canaries.append(Canary(counterpart, number, mask, digests))
    return canaries


def _draws(key: SecretBytes, label: str, numbers: Sequence[int]) -> list[int]:
    """Return for each number 64 random bits: a remainder of them has no measurable bias."""
    drawn = derive(key, framed("aquila/1 canary " + label), numbers, BLOCK_BYTES)
    found: list[int] = np.frombuffer(drawn, dtype="<u8")[::2].tolist()
    return found


def choose_carriers(
    seed: SecretBytes, canaries: Sequence[Canary], counts: NDArray[np.uint8], rules: NDArray[np.uint8]
) -> tuple[CanaryCarrier, ...]:
    """Choose for each canary of a list the record whose rules its dummy copies (PROTOCOL.md 3.4.6).

    Of a few records that the seed draws the first that has all rules of the canary, or else the one that has most.

    Args:
        seed: The submission seed.
        canaries: In the order of their positions behind the real records.
        counts: How many inputs of each of m real records are sent.
        rules: The rule of each of these, the sum of `counts`.
    """
    records = len(counts)
    starts = np.cumsum(counts, dtype=np.int64) - counts
    numbers = np.arange(records * CARRIER_TRIES, (records + len(canaries)) * CARRIER_TRIES, dtype=np.uint64)
    drawn = derive(seed, framed("aquila/1 carrier"), numbers, BLOCK_BYTES)
    sources = (np.frombuffer(drawn, dtype="<u8")[::2] % np.uint64(records)).astype(np.int64).tolist()
    chosen = []
    for place, canary in enumerate(canaries):
        best = CanaryCarrier(-1, 0)
        for source in sources[place * CARRIER_TRIES : (place + 1) * CARRIER_TRIES]:
            profile = mask_of(rules[starts[source] : starts[source] + counts[source]].tolist())
            carrier = CanaryCarrier(source, profile & canary.mask)
            if best.source < 0 or carrier.mask.bit_count() > best.mask.bit_count():
                best = carrier
            if best.mask == canary.mask:
                break
        chosen.append(best)
    return tuple(chosen)


def seal_masks(key: SecretBytes, own: str, masks: Sequence[int]) -> bytes:
    """Encrypt for the counterpart which rules each canary of a pair has here (AES-256-GCM-SIV, RFC 8452).

    Args:
        key: The pair's key of this purpose.
        own: Who says so; the two directions differ by it. Each direction seals once, and the same again is the same.
        masks: By the canaries' numbers.
    """
    content = b"".join(mask.to_bytes(_MASK_BYTES, "big") for mask in masks)
    with key.reveal() as octets:
        return AESGCMSIV(octets).encrypt(_NONCE, content, own.encode())


def open_masks(key: SecretBytes, party: str, sealed: bytes) -> list[int]:
    """Decrypt what `seal_masks` of another party gave.

    Raises:
        MalformedError: It is not of that party, or for another one.
    """
    try:
        with key.reveal() as octets:
            content = AESGCMSIV(octets).decrypt(_NONCE, sealed, party.encode())
    except (InvalidTag, ValueError):
        raise MalformedError("canary_statement_not_opened", party=party) from None
    return [
        int.from_bytes(content[place : place + _MASK_BYTES], "big") for place in range(0, len(content), _MASK_BYTES)
    ]


def grading_basis_of(report: HitReport, counterpart: str, own_records: int) -> GradingBasis | None:
    """Return the basis on which the pairs with a counterpart were graded, from a report; None if it has none.

    Args:
        report: The report for this party.
        counterpart: The other party.
        own_records: The records of this party's submission, dummies included.
    """
    basis = next((basis for basis in report.bases if basis.counterpart == counterpart), None)
    return None if basis is None else grading_basis_on(basis, own_records, basis.records)


def drift_of(table: RuleTable, grading_bases: Sequence[GradingBasis], usual: int, pairs: int) -> list[float]:
    """Return by how many bits canaries can move odds between two rounds of the same lists, for each pair of lists.

    To the matcher canaries are persons, and how many there are and under which rules they meet is drawn in each round.
    Of a pair's common persons as learned, two rounds differ by all its canaries at most: one learns them as so many
    persons, the other none of them. Weights move by what canaries are among the persons that they are learned from, and
    what is counted of chance by those taken for strangers. It is an estimate: it holds in the rounds played for it.

    Args:
        table: The round's rule table.
        grading_bases: On what the pairs of one party's list with each counterpart's were graded.
        usual: The manifest's number of canaries.
        pairs: How many pairs of lists the round has; those of others are taken to have as many common persons.
    """
    canaries = most_canaries(usual)
    smaller = [min(grading_basis.size_a, grading_basis.size_b) for grading_basis in grading_bases]
    common = [size * one.common_per_million / MILLION for one, size in zip(grading_bases, smaller, strict=True)]
    weights = log2(1 + canaries * pairs / (BELIEF + pairs * fmean(common))) + _CHANCE if table.counted else 0.0
    least = [LEAST_SHARE * table.expected_share * size for size in smaller]
    return [
        _SAFETY * (min(_MOST_SHARE, max(log2(1 + canaries / now), log2(now / max(lowest, now - canaries)))) + weights)
        for now, lowest in zip(common, least, strict=True)
    ]


@dataclass(frozen=True, slots=True, repr=False)
class PlantedCanary:
    """A party's secret on a canary of its list, until the round's end.

    Attributes:
        counterpart: The other party.
        handle: The handle of the dummy that carries it, hexadecimal.
        mask: Which of the canary's rules the dummy has.
    """

    counterpart: str
    handle: str
    mask: int


def to_bytes(carried: Sequence[PlantedCanary]) -> bytes:
    """Return the bytes of the secret, for the round key to seal."""
    return json.dumps([[one.counterpart, one.handle, one.mask] for one in carried]).encode()


def from_bytes(content: bytes) -> tuple[PlantedCanary, ...]:
    """Read back what `to_bytes` gave; the bytes are a party's own."""
    return tuple(PlantedCanary(*one) for one in json.loads(content))


def canary_statement(
    round_: Round, own: str, exchange: ExchangeKey, carried: Sequence[PlantedCanary], report: HitReport
) -> tuple[PairCanaries, ...]:
    """Return a party's statement on its canaries once it has its report (PROTOCOL.md 3.7.13).

    Args:
        round_: The record of the round.
        own: The party.
        exchange: Its exchange key of the round.
        carried: Its canaries.
        report: Its report of the lists.
    """
    told = []
    for counterpart in sorted(round_.counterparts_of(own)):
        mine = [one for one in carried if one.counterpart == counterpart]
        with pair_key(round_, own, exchange, counterpart, _CARRIED) as key:
            sealed = seal_masks(key, own, [one.mask for one in mine])
        told.append(
            PairCanaries(counterpart=counterpart, hits=count_levels(_reported(report, mine)), carried=sealed.hex())
        )
    return tuple(told)


def report_of_canaries(pages: Iterable[HitReport], carried: Sequence[PlantedCanary]) -> HitReport:
    """Return a party's report of the lists with the hits of its canaries alone, as one message.

    Args:
        pages: The pages of the report, at least one, or the one message that it is.
        carried: The canaries.
    """
    handles, first, hits = {one.handle for one in carried}, None, []
    for page in pages:
        first = first or page
        hits += [hit for hit in page.hits if hit.handle in handles]
    assert first is not None
    return first.model_copy(update={"page": None, "hits": tuple(hits)})


class Verdict(NamedTuple):
    """The results of the canaries of a pair, as one of the two parties sees them.

    Attributes:
        expected: How many should be hits.
        missing: How many of these are none.
        wrong: How many are hits of another level than they should be, or should be none.
        differing: Whether the other party was shown other hits of them, or says something else of them.
    """

    expected: int
    missing: int
    wrong: int
    differing: bool

    @property
    def trustworthy(self) -> bool:
        """Return whether there was a canary to judge, and every one succeeded on both sides."""
        return bool(self.expected) and not (self.missing or self.wrong or self.differing)


def judge(  # noqa: PLR0913, PLR0917 - what a party knows of the pair
    round_: Round, table: RuleTable, own: str, exchange: ExchangeKey, carried: Sequence[PlantedCanary],
    report: HitReport, told: Canaries,
) -> Verdict:  # fmt: skip
    """Judge the canaries that a party shares with another, once the other has disclosed them (PROTOCOL.md 3.7.13).

    Args:
        round_: The record of the round.
        table: The round's match rules.
        own: The party that judges.
        exchange: Its exchange key of the round.
        carried: Its canaries.
        report: Its report of the lists.
        told: What the other party says.
    """
    mine = [one for one in carried if one.counterpart == told.party]
    levels = _reported(report, mine)
    theirs = next((pair for pair in told.pairs if pair.counterpart == own), None)
    with pair_key(round_, own, exchange, told.party, _CARRIED) as key:
        try:
            masks = open_masks(key, told.party, bytes.fromhex(theirs.carried)) if theirs else []
        except MalformedError:
            masks = []
    if theirs is None or len(masks) != len(mine):
        return Verdict(len(mine), len(mine) - sum(level is not None for level in levels), 0, differing=True)
    submission = round_.submissions[round_.list_of(own) or ""]
    grading_basis = grading_basis_of(report, told.party, submission.records)
    floor = None if grading_basis is None else _floor_of(table, grading_basis)
    minimum = round_.manifest.minimum_certainty
    expected = missing = wrong = 0
    for one, mask, level in zip(mine, masks, levels, strict=True):
        due = _due(table, grading_basis, minimum, one.mask & mask)
        # The basis is the matcher's word: what is a hit by the table's own weights on the floor is due on any.
        is_due = due is not None or _due(table, floor, minimum, one.mask & mask) is not None
        expected += is_due
        missing += is_due and level is None
        wrong += level is not None and level != due
    return Verdict(expected, missing, wrong, differing=theirs.hits != count_levels(levels))


def _reported(report: HitReport, carried: Iterable[PlantedCanary]) -> list[Level | None]:
    """Return of which level a hit each canary is, or None where it is none."""
    hits = {(hit.counterpart, hit.handle): hit.certainty for hit in report.hits}
    return [hits.get((one.counterpart, one.handle)) for one in carried]


def _due(table: RuleTable, grading_basis: GradingBasis | None, minimum: Level, mask: int) -> Level | None:
    """Return the level of which a hit under these rules is; without a basis all that has a rule is due."""
    if not mask:
        return None
    if grading_basis is None:
        return minimum
    level = grade_on(table, mask, grading_basis).level
    return level if level is not None and level >= minimum else None


def _floor_of(table: RuleTable, grading_basis: GradingBasis) -> GradingBasis:
    """Return the basis of the same sizes on which no honest basis lets a strong canary be no hit."""
    least = max(1, round(least_common_per_million(table) / 2**_FLOOR_BITS))
    return replace(grading_basis, common_per_million=least, settled=0, learned=())


def count_levels(levels: Iterable[Level | None]) -> LevelCounts:
    """Return how many there are of each level."""
    found = list(levels)
    return LevelCounts(**{level.value: found.count(level) for level in Level})
