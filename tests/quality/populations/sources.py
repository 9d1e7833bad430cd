"""How a record comes about: five sources, each with the faults of its kind.

A border post reads passports by machine; a register is typed by clerks who know the language; a remark is heard, and
its year reckoned from an age; an old file is scanned; a foreign service writes as its own language sounds.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from random import Random

from aquila.errors import InputError
from aquila.records.person import PartialDate, Record
from clients.people import spelling
from tests.quality.populations.residents import Resident

SOURCES: Mapping[str, float] = {"border": 0.34, "register": 0.36, "heard": 0.10, "scanned": 0.10, "foreign": 0.10}
"""The sources of a list by share."""

_CYRILLIC = {"RS": 0.5, "MK": 0.85, "BG": 0.9, "BA": 0.15, "RO": 0.0}
_MRZ = {"đ": "d", "ž": "z", "š": "s", "č": "c", "ć": "c", "ä": "ae", "ö": "oe", "ü": "ue", "ı": "i"}
_OCR = (("rn", "m"), ("m", "rn"), ("l", "i"), ("i", "l"), ("c", "e"), ("e", "c"), ("u", "ii"), ("h", "b"), ("v", "y"),
        ("n", "u"), ("cl", "d"), ("o", "0"), ("s", "5"), ("g", "q"), ("t", "f"))  # fmt: skip
_ENGLISH = (("dž", "j"), ("đ", "dj"), ("nj", "ny"), ("lj", "ly"), ("č", "ch"), ("ć", "ch"), ("š", "sh"), ("ž", "zh"),
            ("j", "y"), ("c", "ts"), ("h", "kh"))  # fmt: skip
_GERMAN = (("dž", "dsch"), ("đ", "dsch"), ("nj", "nj"), ("č", "tsch"), ("ć", "tsch"), ("š", "sch"), ("ž", "sch"),
           ("c", "z"), ("v", "w"), ("h", "ch"))  # fmt: skip
_FRENCH = (("dž", "dj"), ("đ", "dj"), ("č", "tch"), ("ć", "tch"), ("š", "ch"), ("ž", "j"), ("j", "y"), ("u", "ou"),
           ("c", "ts"))  # fmt: skip
_EAR = (("d", "t"), ("b", "p"), ("g", "k"), ("z", "s"), ("i", "e"), ("e", "i"), ("o", "u"), ("u", "o"), ("h", ""),
        ("j", ""), ("ll", "l"), ("l", "ll"), ("m", "n"))  # fmt: skip
_FOREIGN_TONGUES = (_ENGLISH, _GERMAN, _FRENCH)
_LAST_MONTH = 12

Names = tuple[list[str], list[str]]


def record(person: Resident, party: str, record_id: str, source: str, random: Random) -> Record:
    """Note a person as a source does; what is too little to be a record is noted again."""
    while True:
        names, born = _SOURCES[source](person, party, random)
        known = source in {"border", "register"}
        try:
            return Record(
                record_id,
                tuple(names[0]),
                tuple(names[1]),
                date_of_birth=born,
                sex=person.sex if random.random() < (0.97 if known else 0.6) else None,
                place_of_birth=_place(person) if random.random() < (0.75 if known else 0.25) else None,
                nationality=(person.nationality,) if random.random() < (0.9 if known else 0.5) else (),
                document_numbers=(person.document,) if random.random() < (0.3 if source == "border" else 0.08) else (),
            )
        except InputError:
            continue


def _border(person: Resident, _party: str, random: Random) -> tuple[Names, PartialDate | None]:
    """A machine-readable passport: capitals without marks, a whole date."""
    given, family = _civil_names(person, random)
    if random.random() < 0.12:
        given.append(_latin(person.second, person))
    names = [[_mrz(name) for name in given], [_mrz(name) for name in family]]
    if random.random() < 0.02:
        names[1] = [names[1][0][:9]]
    return (names[0], names[1]), _whole(person.born, 0.01, random)


def _register(person: Resident, party: str, random: Random) -> tuple[Names, PartialDate | None]:
    """A clerk of the country: its script and marks, patronymics where they are usual, few slips."""
    given, family = _civil_names(person, random)
    if person.culture in {"BGR", "MKD", "ARA"} and random.random() < 0.4:
        given.append(_latin(_patronymic(person), person))
    chosen = [_slipped(given, 0.02, random), _slipped(family, 0.03, random)]
    if random.random() < _CYRILLIC[party]:
        chosen = [[spelling.cyrillic(name, party, person.culture) for name in names] for names in chosen]
    elif random.random() < 0.3:
        chosen = [[spelling.plain(name) for name in names] for names in chosen]
    first, last = ([spelling.capitalized(name) for name in one] for one in chosen)
    names = (last, first) if random.random() < 0.03 else (first, last)  # columns are mistaken
    return names, _whole(person.born, 0.02, random)


def _heard(person: Resident, _party: str, random: Random) -> tuple[Names, PartialDate | None]:
    """A remark: spelled by ear, a date seldom whole, a year reckoned from an age."""
    given, family = _civil_names(person, random)
    given, family = ([_by_ear(spelling.plain(name), random) for name in one] for one in (given, family))
    fate = random.random()
    born: PartialDate | None = None
    if fate < 0.3:
        born = _whole(person.born, 0.05, random)
    elif fate < 0.8:
        born = PartialDate(person.born.year + random.choice((-1, 0, 0, 0, 1)))
    return ([spelling.capitalized(name) for name in given], [spelling.capitalized(name) for name in family]), born


def _scanned(person: Resident, _party: str, random: Random) -> tuple[Names, PartialDate | None]:
    """An old file read by a machine: letters that look alike, and now and then a figure of the date."""
    given, family = _civil_names(person, random)
    names = [[spelling.capitalized(_misread(spelling.plain(name), random)) for name in one] for one in (given, family)]
    return (names[0], names[1]), _whole(person.born, 0.06, random)


def _foreign(person: Resident, _party: str, random: Random) -> tuple[Names, PartialDate | None]:
    """A service abroad: the sounds as its own language spells them, day and month now and then swapped."""
    tongue = random.choice(_FOREIGN_TONGUES)
    given, family = _civil_names(person, random)
    if person.culture in {"ARA", "TUR", "ROU", "HUN", "ALB"}:
        spelled = [[spelling.plain(spelling.heard(name, random)) for name in one] for one in (given, family)]
    else:
        spelled = [[spelling.plain(_replaced(name, tongue)) for name in one] for one in (given, family)]
    names = [[spelling.capitalized(name) for name in one] for one in spelled]
    born = person.born
    if born.day <= _LAST_MONTH and random.random() < 0.1:
        return (names[0], names[1]), PartialDate(born.year, born.day, born.month)
    return (names[0], names[1]), _whole(born, 0.02, random)


_SOURCES: dict[str, Callable[[Resident, str, Random], tuple[Names, PartialDate | None]]] = {
    "border": _border, "register": _register, "heard": _heard, "scanned": _scanned, "foreign": _foreign,
}  # fmt: skip


def _civil_names(person: Resident, random: Random) -> Names:
    """Given and family names in Latin letters with their marks; married women by either name or both."""
    family = person.family
    if person.maiden != person.family:
        family = random.choices((person.family, person.maiden, f"{person.family}-{person.maiden}"), (0.7, 0.15, 0.15))[
            0
        ]
    female = person.sex == "F"
    latin = "-".join(_in_sex(_latin(part, person), person.culture, female=female) for part in family.split("-"))
    return [_latin(person.given, person)], [latin]


def _in_sex(family: str, culture: str, *, female: bool) -> str:
    """The family name as a woman bears it, where it changes."""
    if female and culture in {"BGR", "MKD"}:
        return re.sub(r"(ski)\Z", "ska", family) if family.endswith("ski") else f"{family}a"
    return family


def _patronymic(person: Resident) -> str:
    if person.culture == "BGR":
        return f"{person.father.rstrip('аяоий')}ов{'а' if person.sex == 'F' else ''}"
    return person.father


def _latin(name: str, person: Resident) -> str:
    return spelling.latin(name, person.culture)


def _mrz(name: str) -> str:
    """Capitals A to Z, as ICAO 9303 has them read."""
    spelled = "".join(_MRZ.get(letter, letter) for letter in name.lower())
    plain = (letter for letter in unicodedata.normalize("NFD", spelled) if not unicodedata.combining(letter))
    return "".join(plain).upper()


def _slipped(names: list[str], share: float, random: Random) -> list[str]:
    return [spelling.slip(name, random) if random.random() < share else name for name in names]


def _by_ear(name: str, random: Random) -> str:
    """One or two sounds mistaken for their neighbours."""
    for old, new in random.sample(_EAR, 3):
        place = name.find(old, 1)
        if place > 0 and random.random() < 0.5:
            name = name[:place] + new + name[place + len(old) :]
    return name


def _misread(name: str, random: Random) -> str:
    """A look-alike for a letter, in half of the words."""
    if random.random() < 0.5:
        return name
    fitting = [one for one in _OCR if name.find(one[0], 1) > 0]
    if not fitting:
        return name
    old, new = random.choice(fitting)
    place = name.find(old, 1)
    return name[:place] + new + name[place + len(old) :]


def _replaced(name: str, tongue: tuple[tuple[str, str], ...]) -> str:
    spellings = dict(tongue)
    pattern = "|".join(sorted(map(re.escape, spellings), key=len, reverse=True))
    return re.sub(pattern, lambda found: spellings[found[0]], name)


def _whole(born: date, wrong: float, random: Random) -> PartialDate:
    """A whole date; with a share of `wrong`, one of its figures is another."""
    if random.random() >= wrong:
        return PartialDate(born.year, born.month, born.day)
    match random.randrange(3):
        case 0:
            return PartialDate(born.year + random.choice((-10, -1, 1, 10)), born.month, min(born.day, 28))
        case 1:
            return PartialDate(born.year, random.randrange(1, 13), min(born.day, 28))
        case _:
            return PartialDate(born.year, born.month, random.randrange(1, 29))


def _place(person: Resident) -> str:
    return f"{person.culture} {_syllables(person.place)}"


def _syllables(number: int) -> str:
    """A place's name from its number."""
    parts = ("ba", "do", "ku", "le", "mi", "no", "ra", "se", "ti", "vo")
    return "".join(parts[int(figure)] for figure in f"{number + 100:03d}") + "grad"
