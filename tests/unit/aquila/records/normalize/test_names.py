"""The words of a name."""

import pytest

from aquila.records.normalize.names import has_unread_words, name_words

SAME = [
    ("Ђорђе Ђорђевић", "Đorđe Đorđević", "Djordje Djordjevic", "Dorde Dordevic", "Gjorgje Gjorgjević"),
    ("Љиљана Његош", "Ljiljana Njegoš", "Ljiljana Njegos"),
    ("Џемила Хаџић", "Džemila Hadžić", "Dzemila Hadzic"),
    ("Живко Чачић", "Živko Čačić", "Zivko Cacic", "Zhivko Chachich"),
    ("Ѓорѓи Ќосев", "Gjorgji Kjosev"),
    ("Георги Щерев", "Georgi Shterev"),
    ("Цветан Юруков", "Tsvetan Yurukov", "Cvetan Jurukov"),
    ("Ștefan Țurcanu", "Ştefan Ţurcanu", "Shtefan Turcanu"),
    ("Brânză Ioniță", "Brînză Ionita", "Branza Ionitza"),
    ("Kőszegi Győző", "Koszegi Gyozo"),
    ("Shpëtim Thaçi", "Shpetim Thachi"),
    ("Yıldız Şükrü", "Yildiz Sukru"),  # noqa: RUF001 - the Turkish letter is the point
    ("Abd al-Rahman al-Masri", "Abdul Rahman El Masri", "Abdurrahman Almasri", "'Abd-al-Rahman AL-MASRI"),
    ("Müller-Weiß", "Muller Weiss"),
    ("KOVAČIĆ BEŠIĆ", "Kovačić Bešić", "КОВАЧИЋ БЕШИЋ"),
    ("ZUPANČIČ", "Zupančič", "Zupancic"),
    ("ŽIŽIĆ", "Žižić", "ZIZIC"),
]
DIFFERENT = [("Milan", "Milena"), ("Ana", "Ena"), ("Marko", "Mirko"), ("Petrović", "Petković"), ("Ivan", "Jovan")]


@pytest.mark.parametrize("spellings", SAME, ids=lambda names: names[-1])
def test_spellings_of_one_name_fold_alike(spellings: tuple[str, ...]) -> None:
    """Script, diacritics and transliteration make no difference."""
    assert len({name_words(name) for name in spellings}) == 1


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_names_fold_apart(one: str, other: str) -> None:
    assert name_words(one) != name_words(other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Jean-Pierre", ("iean", "piere")),
        ("O'Neill", ("oneil",)),
        ("Omar bin Khalid al-Hariri", ("omar", "halid", "hariri")),
        ("von der Heide", ("heide",)),
        ("Al", ("al",)),
        ("M. Ana", ("ana",)),
        ("M.", ("m",)),
        ("Abu Bakr", ("abubakr",)),
        ("Abd", ("abdu",)),
        ("Nur al-Din Abd Allah", ("nuredin", "abdulah")),
        ("Abd ar-Rahman Nasr Allah", ("abdurahman", "nasrulah")),
        ("Hadži Nikolov", ("hadinikolov",)),
        ("Haji Nikolov", ("nikolov",)),
        ("RadosavIjević AIeksandar", ("radosavlievic", "aleksandar")),
        ("ILIĆ Ivan", ("ilic", "ivan")),
        ("5andra", ("sandra",)),
        ("Ana2 山", ("ana",)),
        ("山田", ()),
        ("", ()),
    ],
)
def test_names_are_parted_into_words(text: str, words: tuple[str, ...]) -> None:
    """Hyphens part, apostrophes do not; particles and single letters go where another word is left."""
    assert name_words(text) == words


@pytest.mark.parametrize(
    ("text", "unread"),
    [("Ana 山田", True), ("山田", True), ("Живка محمد Γιώργος", False), ("Ana 4", False), ("", False)],
)
def test_words_of_other_scripts_are_noticed(text: str, unread: bool) -> None:  # noqa: FBT001 - a column of the table
    assert has_unread_words(text) is unread
