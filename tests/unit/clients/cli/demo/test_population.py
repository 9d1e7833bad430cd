"""The demo's invented persons: the same for the same seed, with an overlap that is known."""

import io
from collections import Counter

from aquila.records.rows import AcceptedRow
from clients.cli.demo.population import populate, questions
from clients.people.nationals import COUNTRIES
from tests.support.read_lists import read_csv


def test_same_seed() -> None:
    """The same seed gives the same bytes, another seed others."""
    first, again, other = populate(100, 1), populate(100, 1), populate(100, 2)
    for country in COUNTRIES:
        assert first.file(country) == again.file(country)
        assert first.file(country) != other.file(country)
    assert first.common == again.common


def test_overlap() -> None:
    """Of 1,000 persons 40 stand in two lists and 8 in all three."""
    population = populate()
    seen = Counter(
        side for left, left_id, right, right_id in population.common for side in ((left, left_id), (right, right_id))
    )
    assert len(population.common) == 40 + 3 * 8
    assert Counter(seen.values()) == {1: 80, 2: 24}
    assert all(left < right for left, _, right, _ in population.common)


def test_files() -> None:
    """Each list is read with one refused row, and with check digits that are right."""
    for country in COUNTRIES:
        rows = list(read_csv(io.BytesIO(populate(200).file(country))))
        accepted = [row for row in rows if isinstance(row, AcceptedRow)]
        assert (len(accepted), len(rows)) == (200, 201)
        assert not any(row.warnings for row in accepted)


def test_scripts() -> None:
    """Serbia writes in both scripts."""
    names = [row["family_names"] for row in populate(200).rows["RS"][:-1]]
    cyrillic = [name for name in names if any("а" <= letter.lower() <= "џ" for letter in name)]
    assert 0.4 < len(cyrillic) / len(names) < 0.8


def test_questions() -> None:
    """One person was noted by both others, one by one of them, and the asking party has noted none."""
    population = populate(200)
    for asking in COUNTRIES:
        asked = questions(population, asking)
        noted = [
            [code for code, rows in population.rows.items() if any(person.items() <= row.items() for row in rows)]
            for person in asked
        ]
        assert all(person.keys() == {"given_names", "family_names", "date_of_birth"} for person in asked)
        assert asking not in {code for codes in noted for code in codes}
        assert [bool(codes) for codes in noted] == [True, True, False]
