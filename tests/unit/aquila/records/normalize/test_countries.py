"""Countries by the code of three letters."""

import pytest

from aquila.records.normalize.countries import country
from aquila.records.normalize.names import table


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("SRB", ["RS", "rs", "SRB", "СРБ", "Srbija", "Србија", "SRBIJA", "Serbia", " Serbia ", "Republika Srbija"]),
        ("BIH", ["BA", "BiH", "Bosna i Hercegovina", "Босна и Херцеговина", "Bosnia and Herzegovina"]),
        ("ALB", ["AL", "Albania", "Shqipëri", "Shqiperia", "Албанија"]),
        ("TUR", ["TR", "Türkiye", "TÜRKİYE", "Turkiye", "Turkey", "Turska", "Турция"]),
        ("XKX", ["XK", "Kosovo", "Kosova", "Косово"]),
        ("SYR", ["SY", "سوريا", "Syria", "Syrian Arab Republic", "Sirija"]),
        ("ISR", ["IL", "ישראל"]),
        ("DEU", ["D", "DE", "Deutschland", "Nemačka", "Њемачка"]),
    ],
)
def test_a_country_has_one_code(code: str, texts: list[str]) -> None:
    assert {text: country(text) for text in texts} == dict.fromkeys(texts, code)


def test_every_text_of_the_table_is_its_country() -> None:
    """No name or code stands for two countries, alone or as its words fold."""
    countries = table("countries")["countries"]
    other = [(text, code) for code, texts in countries.items() for text in (code, *texts) if country(text) != code]
    assert other == []
    assert len(countries) > 240


def test_countries_of_like_names_are_apart() -> None:
    pairs = [("Niger", "Nigeria"), ("Austria", "Australia"), ("Slovensko", "Slovenija"), ("Guinea", "Guyana")]
    assert all(country(one) != country(other) for one, other in pairs)


def test_what_is_no_country_is_a_folded_text() -> None:
    assert country("без држављанства") == country("BEZ DRŽAVLJANSTVA") == "bez drzavlianstva"
    assert (country(" -"), country("")) == ("-", "")


def test_a_code_is_no_word_of_a_name() -> None:
    """A code of three capital letters is never what a folded text is."""
    assert country("srba") == "srba"
    assert country("srb") == "SRB"
