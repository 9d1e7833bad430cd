"""Rounds of three to five parties, step by step: delays, losses, crashes, older copies and one liar change no true hit.

Hypothesis draws a seed, what happens next, and what goes wrong (`SteppedRounds`). From the seed follow who has which
persons, who asks for whom, and who lies. What holds after each step, and what must be reached in the end, is in
`tests.support.stepped_round`.
"""

import os
import sys
from enum import Enum
from itertools import combinations, product
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from aquila.crypto.backend import load_group
from aquila.protocol.messages import Kind
from tests.support.staged_round import person
from tests.support.stepped_round import MATCHER, MATCHER_LIES, PARTY_LIES, Lie, Lists, SteppedRound
from tests.support.stepping_party import SteppingParty

RUNS, STEPS = int(os.environ.get("AQUILA_STEPPED_RUNS", "1")), 100

CODES = ("AL", "RS", "SI", "ME", "XK")
NAMES = ("Besnik Hoxha", "Ana Novak", "Drita Shehu", "Goran Petrović", "Irena Kos", "Peter Zupan", "Vesna Kralj")
PERSONS = [person(str(place), *name.split(), f"19{60 + place}-05-0{place + 1}") for place, name in enumerate(NAMES)]

PICKS = st.integers(0, 10_000)
SEEDS = st.integers(0, 2**32 - 1)
GOING = st.tuples(SEEDS, st.integers(0, 8))


class LiarKind(Enum):
    """Who lies in a run, if anybody does."""

    PARTY = "a party, or nobody"
    MATCHER_OF_LISTS = "the matcher, about lists"
    MATCHER_OF_QUERIES = "the matcher, about queries"


class SteppedRounds(RuleBasedStateMachine):
    """A round of some parties; each rule is a step or a fault."""

    parties, liar = 3, LiarKind.PARTY
    taken = 0
    """How many steps all runs took."""

    @initialize(seed=SEEDS, waits=st.sampled_from([0, 0, 0, 1, 3]), restores=st.sampled_from([0, 0, 1]))
    def begin(self, seed: int, waits: int, restores: int) -> None:
        random, codes = Random(f"{seed} {self.parties} {self.liar}"), CODES[: self.parties]
        people = range(len(PERSONS))
        of = {code: random.sample(people, random.randint(2, 5)) for code in codes}
        asked: dict[str, list[tuple[int, ...]]] = {code: [] for code in codes}
        for _ in range(random.choice([0, 1, 2, 4])):
            asked[random.choice(codes)].append(tuple(random.sample(people, random.randint(1, 2))))
        pairs = list(combinations(sorted(codes), 2))
        forbidden = random.sample(pairs, random.randint(0, len(pairs) // 3))
        lie = Lie()
        if self.liar is not LiarKind.PARTY:
            one, other = random.choice([pair for pair in pairs if pair not in forbidden])
            of_queries = self.liar is LiarKind.MATCHER_OF_QUERIES
            lie = Lie(MATCHER, random.choice(MATCHER_LIES), (one, other), Kind.QUERY if of_queries else Kind.LIST)
            # It lies about hits, so there is one.
            shared = of[one][0]
            of[other] = [shared, *(person for person in of[other] if person != shared)]
            asked[one] += [(shared,)] if of_queries else []
        elif random.random() < 0.7:
            liar, victim = random.sample(codes, 2)
            lie = Lie(liar, random.choice(PARTY_LIES), (liar, victim))
        lists, chunks = Lists(PERSONS, of, asked), random.choice([2, 3, 8])
        self.round = SteppedRound(load_group(1), lists, forbidden, seed=seed, chunk_elements=chunks, lie=lie)
        self.waits, self.restores = waits, restores

    def go_on(self, going: tuple[int, int]) -> None:
        """Do some things that are due; every rule begins with it, because Hypothesis leaves rules out of whole runs."""
        type(self).taken += 1
        seed, times = going
        random = Random(seed)
        for _ in range(times):
            self.round.go_on(random)
            self.round.check()

    @rule(going=GOING)
    def nothing_goes_wrong(self, going: tuple[int, int]) -> None:
        self.go_on(going)

    @rule(going=GOING, pick=PICKS, times=st.integers(1, 15))
    def arrive_in_another_order(self, going: tuple[int, int], pick: int, times: int) -> None:
        self.go_on(going)
        for number in range(min(times, len(self.round.wire))):
            self.round.deliver((pick + number) % len(self.round.wire))

    @rule(going=GOING, pick=PICKS, times=st.integers(1, 5))
    def lose(self, going: tuple[int, int], pick: int, times: int) -> None:
        self.go_on(going)
        for _ in range(min(times, len(self.round.wire))):
            del self.round.wire[pick % len(self.round.wire)]

    @rule(going=GOING, pick=PICKS, again=st.booleans(), silently=st.booleans())
    def arrive(self, going: tuple[int, int], pick: int, *, again: bool, silently: bool) -> None:
        """Something arrives that will come once more, or whose answer is lost."""
        self.go_on(going)
        if self.round.wire:
            self.round.deliver(pick % len(self.round.wire), again=again, silently=silently)

    @rule(going=GOING, pick=PICKS, place=PICKS)
    def read_again(self, going: tuple[int, int], pick: int, place: int) -> None:
        self.go_on(going)
        for party in self._one(pick):
            self.round.read_again(party, place)

    @rule(going=GOING, pick=PICKS, place=PICKS, in_a_step=st.booleans())
    def crash(self, going: tuple[int, int], pick: int, place: int, *, in_a_step: bool) -> None:
        self.go_on(going)
        for party in self._one(pick):
            if in_a_step:
                self.round.die_in_a_step(party, place)
            else:
                self.round.crash(party)

    @rule(going=GOING)
    def crash_matcher(self, going: tuple[int, int]) -> None:
        self.go_on(going)
        self.round.crash_matcher()

    @rule(going=GOING, pick=PICKS, for_good=st.booleans())
    def stop_or_start(self, going: tuple[int, int], pick: int, *, for_good: bool) -> None:
        self.go_on(going)
        round_, code = self.round, CODES[pick % self.parties]
        if code in round_.stopped:
            round_.stopped.remove(code)
        elif for_good and not round_.gone:
            round_.gone.add(code)
        else:
            round_.stopped.add(code)

    @precondition(lambda self: self.restores)
    @rule(going=GOING, pick=PICKS)
    def copy_or_restore(self, going: tuple[int, int], pick: int) -> None:
        self.go_on(going)
        for party in self._one(pick):
            if party.code in self.round.copies:
                self.round.restore(party)
                self.restores -= 1
            else:
                self.round.copy(party)

    @precondition(lambda self: self.waits)
    @rule(going=GOING)
    def wait(self, going: tuple[int, int]) -> None:
        self.go_on(going)
        self.round.wait()
        self.waits -= 1

    @rule(going=GOING, pick=PICKS)
    def offend(self, going: tuple[int, int], pick: int) -> None:
        """Somebody signs what it may not."""
        self.go_on(going)
        self.round.offend(CODES[pick % self.parties])

    @rule(going=GOING, pick=PICKS)
    def report_early(self, going: tuple[int, int], pick: int) -> None:
        self.go_on(going)
        self.round.report_early(pick)

    def _one(self, pick: int) -> list[SteppingParty]:
        """Return one of the parties that are up, if any is."""
        running = self.round.running
        return [running[pick % len(running)]] if running else []

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "round"):
            self.round.check()

    def teardown(self) -> None:
        """Finish the round, but of a run that failed: what it found is what counts."""
        if hasattr(self, "round") and sys.exception() is None:
            self.round.finish()


LIMITS = settings(
    max_examples=RUNS,
    stateful_step_count=STEPS,
    phases=[Phase.generate],  # a smaller run is seldom plainer, and takes minutes to find
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize(("parties", "liar"), list(product(range(3, 6), LiarKind)))
def test_rounds_in_steps(parties: int, liar: LiarKind) -> None:
    """Whatever happens, and in whatever order: no false hit, nobody honest is named, and each pair that is up ends."""
    machine = type("SteppedRounds", (SteppedRounds,), {"parties": parties, "liar": liar, "taken": 0})
    run_state_machine_as_test(machine, settings=LIMITS)
    assert machine.taken > 0.7 * RUNS * STEPS  # a run of many parties ends when what Hypothesis draws is used up
