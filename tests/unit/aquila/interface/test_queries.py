"""Views of queries."""

from aquila.interface.queries import StandingQueryEntry, StandingQueryRound


def test_new_hits_of_a_standing_query_are_those_of_all_its_rounds() -> None:
    rounds = tuple(StandingQueryRound.model_construct(new_hits=hits) for hits in (2, 0, 3))
    assert StandingQueryEntry.model_construct(rounds=rounds).new_hits == 5
    assert StandingQueryEntry.model_construct(rounds=()).new_hits == 0
