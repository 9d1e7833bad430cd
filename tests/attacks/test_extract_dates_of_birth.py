"""An officer hides among true records nearly every day of a year under one name, to learn others' dates of birth."""

import datetime as dt
from collections.abc import Callable, Sequence
from random import Random

import pytest

from aquila.errors import GridError
from aquila.protocol.submission_plan import plan_submission
from aquila.protocol.submissions.tasks import digest_records
from aquila.records.person import PartialDate, Record
from aquila.records.rules import load_rules
from tests.quality.measuring.common_lists import common_lists
from tests.support.staged_round import StagedRound

NAMES = (
    ("Besnik", "Hoxha", 1979),
    ("Vesna", "Marković", 1984),
    ("Georgi", "Dimitrov", 1971),
    ("Mircea", "Popescu", 1990),
    ("Amir", "Hadžić", 1966),
    ("Elena", "Stojanova", 1988),
)
"""Six names whose year of birth the officer knows, and whose day he does not."""

TABLE = load_rules("default")


def days(year: int, rows: int, place: int) -> list[dt.date]:
    """Return days of a year, never eight in a row: one of eight days is left out, another one for each name."""
    every = [dt.date(year, 1, 1) + dt.timedelta(days=day) for day in range(365) if day % 8 != place]
    return sorted(Random(place).sample(every, min(rows, len(every))))


def guesses(rows: int, names: Sequence[tuple[str, str, int]] = NAMES, family: str = "{}") -> list[Record]:
    """Return so many rows under each name, each with a day of the known year."""
    return [
        Record(f"g-{place}-{day}", (given,), (family.format(last),), date_of_birth=_date(day))
        for place, (given, last, year) in enumerate(names)
        for day in days(year, rows, place)
    ]


def _date(day: dt.date) -> PartialDate:
    return PartialDate(day.year, day.month, day.day)


@pytest.fixture(scope="module")
def crowd() -> list[Record]:
    """Return five thousand records of persons, as a list of the region has them."""
    return list(common_lists(5_000, 77, ("BA", "RS")).lists["BA"])


@pytest.mark.parametrize("family", ["{}", "{} Xhaferi"], ids=["as they are", "with another word behind them"])
@pytest.mark.parametrize("rows", [320, 100, 40])
def test_dates_under_one_name_are_refused(
    staged: Callable[..., StagedRound], crowd: list[Record], rows: int, family: str
) -> None:
    """Among 5,000 true records nothing is sent, however few rows there are on average, and the error names nobody."""
    manifest = staged(rules="default").manifest
    listed = crowd + guesses(rows, family=family)
    Random(rows).shuffle(listed)
    with pytest.raises(GridError, match=r"one name stands with \d+ dates of birth of one year") as caught:
        plan_submission(manifest, TABLE, [digest_records(b"\0" * 32, TABLE, listed).outline()])
    assert caught.value.fields["got"] >= min(rows, 300)
    assert "Hoxha" not in f"{caught.value.message} {caught.value.hint}"
    plan_submission(manifest, TABLE, [digest_records(b"\0" * 32, TABLE, crowd).outline()])


def test_a_whole_round_tells_no_date(staged: Callable[..., StagedRound], crowd: list[Record]) -> None:
    """Without the refusal the row with the true day is the one hit that both sides see; nothing is submitted."""
    listed = crowd[:700] + guesses(320, NAMES[:1])
    person = Record("al-1", ("Besnik",), ("Hoxha",), date_of_birth=PartialDate(1979, 5, 6))
    stage = staged(rules="default", chunk_elements=1_000, lists={"AL": [person], "RS": crowd[700:710], "SI": listed})
    stage.consent()
    with pytest.raises(GridError):
        stage.submit(stage.nodes["SI"])
    assert not stage.round.submissions
