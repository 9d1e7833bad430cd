"""The page `schemas/records/normalizer-tables.md`, written from the tables that the normalizer reads."""

from aquila.records.normalize.names import CYRILLIC, NORMALIZER_VERSION, name_words, sound, table
from aquila.records.normalize.national_numbers import SCHEMES

_ABOUT = """\
Written by `make schemas` from `aquila/records/normalize/tables/`, whose files give the reasons row by row. How the
tables are used is told in [normalizer.md](normalizer.md)."""
PAGE = "records/normalizer-tables.md"
_LETTERS = {name: f"{name.capitalize()} Cyrillic" for name in CYRILLIC} | {"greek": "Greek", "arabic": "Arabic"}
_FOLDING = {
    "beginnings": "At the beginning of a word",
    "endings": "At the end of a word",
    "spellings": "Anywhere in a word",
    "skeleton": "Merged in the skeleton only, where `normalizer.md` says",
}


def page() -> str:
    parts = [
        f"# The normalizer's tables, version {NORMALIZER_VERSION}",
        _ABOUT,
        *(part for name, title in _LETTERS.items() for part in (f"## {title}", _letters(name))),
        *(part for name, title in _FOLDING.items() for part in (f"## {title}", _pairs(table("folding")[name]))),
        "## Words left out of a name",
        ", ".join(sorted(table("particles")["dropped"])),
        "## Titles, ranks and honorifics",
        _titles(),
        "## Words that begin one name with the next",
        _pairs(table("particles")["begins"]),
        "## Words that end one name with the word before",
        _pairs(table("particles")["ends"]),
        "## Beginnings of words in which al- and el- are no article",
        ", ".join(sorted(table("particles")["whole"])),
        "## Variants of one name",
        _groups("variants"),
        "## Nicknames",
        _groups("nicknames"),
        "## Names that keep their vowels in the sound",
        ", ".join(sorted(table("variants")["apart"])),
        "## Women's names told apart from men's in the sound",
        ", ".join(sorted(table("women")["names"])),
        "## National numbers with check digits",
        _schemes(),
        "## Telephone codes and trunk prefixes",
        _phones(),
        "## Countries",
        _countries(),
    ]
    return "\n\n".join(parts) + "\n"


def _letters(name: str) -> str:
    """One table of letters: what tells the language, each letter, and pairs of letters."""
    content = table(name)
    told = f"Chosen where one of these letters occurs: {' '.join(content['marks'])}\n\n" if "marks" in content else ""
    return told + _pairs(content["letters"] | content.get("pairs", {}))


def _pairs(content: dict[str, str]) -> str:
    """Spellings with what they become, those that become the same together."""
    rows: dict[str, list[str]] = {}
    for spelling, becomes in content.items():
        rows.setdefault(becomes, []).append(spelling)
    lines = [f"| {' '.join(spellings)} | {becomes or '(nothing)'} |" for becomes, spellings in rows.items()]
    return "\n".join(["| written | becomes |", "|---|---|", *lines])


def _titles() -> str:
    """Titles by language: what goes, what goes before two other words, what goes behind a title."""
    places = ("titles", "before", "after")
    rows = (
        [language, *(", ".join(titles.get(place, ())) for place in places)]
        for language, titles in table("titles").items()
    )
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(["| language | titles | before two other words | behind a title |", "|---|---|---|---|", *lines])


def _groups(name: str) -> str:
    lines = [f"| {', '.join(group)} | {sound(name_words(group[0])[0])} |" for group in table(name)["groups"]]
    return "\n".join(["| names | sound |", "|---|---|", *lines])


def _schemes() -> str:
    """The schemes with their countries, forms, and whether they tell birth or sex."""
    lines = [
        f"| {name} | {', '.join(scheme.countries)} | `{scheme.form.pattern}` | {'yes' if scheme.birth else 'no'} |"
        for name, scheme in SCHEMES.items()
    ]
    return "\n".join(["| scheme | issued by | form | tells of birth |", "|---|---|---|---|", *lines])


def _phones() -> str:
    lines = [
        f"| {country} | +{code} | {trunk or 'none'} |"
        for country, (code, trunk) in table("phones")["countries"].items()
    ]
    return "\n".join(["| country | code | trunk prefix |", "|---|---|---|", *lines])


def _countries() -> str:
    lines = [f"| {code} | {', '.join(texts)} |" for code, texts in table("countries")["countries"].items()]
    return "\n".join(["| code | written |", "|---|---|", *lines])
