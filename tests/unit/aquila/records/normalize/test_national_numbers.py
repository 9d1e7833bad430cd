"""What a national number tells of its bearer.

Check digits of the region's national numbers: each number was made up, and its check digit computed by hand.

The functions were also compared with python-stdnum 2.2 on 200,000 random numbers of each scheme that both know; they
differ only in the Romanian county, which is not checked here because new codes are given out.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from aquila.records.normalize import national_numbers as births
from aquila.records.normalize.national_numbers import SCHEMES, NumberBirth, schemes_of
from aquila.records.person import PartialDate

TOLD: list[tuple[Callable[[str], NumberBirth | None], str, NumberBirth | None]] = [
    (births.jmbg_birth, "0101990710008", NumberBirth(1990, 1, 1, "M")),
    (births.jmbg_birth, "3112001715006", NumberBirth(2001, 12, 31, "F")),
    (births.jmbg_birth, "3102001715006", None),
    (births.egn_birth, "7501010010", NumberBirth(1975, 1, 1, "F")),
    (births.egn_birth, "7521010004", NumberBirth(1875, 1, 1, "M")),
    (births.egn_birth, "0541010004", NumberBirth(2005, 1, 1, "M")),
    (births.egn_birth, "0561010004", None),
    (births.egn_birth, "0500010004", None),
    (births.cnp_birth, "1800101221144", NumberBirth(1980, 1, 1, "M")),
    (births.cnp_birth, "6010203221144", NumberBirth(2001, 2, 3, "F")),
    (births.cnp_birth, "4010203221144", NumberBirth(1801, 2, 3, "F")),
    (births.cnp_birth, "7800101221144", NumberBirth(80, 1, 1, "M", has_century=False)),
    (births.cnp_birth, "9000229221144", NumberBirth(0, 2, 29, "", has_century=False)),
    (births.szemelyi_birth, "18001010016", NumberBirth(1980, 1, 1, "M")),
    (births.szemelyi_birth, "40501010016", NumberBirth(2005, 1, 1, "F")),
    (births.adoazonosito_birth, "8422780135", NumberBirth(1982, 10, 3)),
    (births.nid_birth, "J00101999W", NumberBirth(1990, 1, 1, "M")),
    (births.nid_birth, "J05115999K", NumberBirth(1990, 1, 15, "F")),
    (births.nid_birth, "H08203001A", NumberBirth(1970, 2, 3, "F")),
    (births.nid_birth, "H03203001A", NumberBirth(1970, 2, 3, "M")),
    (births.svnr_birth, "1237010180", NumberBirth(80, 1, 1, has_century=False)),
    (births.svnr_birth, "1237011380", None),
]


@pytest.mark.parametrize(("read", "number", "birth"), TOLD)
def test_numbers_tell_birth_and_sex(
    read: Callable[[str], NumberBirth | None], number: str, birth: NumberBirth | None
) -> None:
    assert read(number) == birth


MAN = NumberBirth(1980, 2, 3, "M")
SHORT = NumberBirth(80, 2, 3, has_century=False)


@pytest.mark.parametrize(
    ("told", "birth", "sex", "contradicts"),
    [
        (MAN, PartialDate(1980, 2, 3), "M", False),
        (MAN, PartialDate(1980, 2), None, False),
        (MAN, PartialDate(1980), "X", False),
        (MAN, None, None, False),
        (MAN, None, "F", True),
        (MAN, PartialDate(1980, 3, 2), "M", True),
        (MAN, PartialDate(1981), "M", True),
        (SHORT, PartialDate(1980, 2, 3), "F", False),
        (SHORT, PartialDate(1981, 2, 3), None, True),
    ],
)
def test_a_record_contradicts_only_with_what_it_knows(
    told: NumberBirth, birth: PartialDate | None, sex: str | None, contradicts: bool
) -> None:
    assert told.contradicts(birth, sex) is contradicts


VALID = [
    ("AL-NID", "J00101999W"),  # the published specimen
    ("AL-NID", "J05115999K"),  # the published specimen
    ("AT-SVNR", "1237010180"),
    ("BG-EGN", "7501010010"),
    ("BG-EGN", "7521010014"),
    ("BG-LNCh", "1000000001"),
    ("HR-OIB", "12345678903"),
    ("HU-SzA", "18001010016"),
    ("HU-SzA", "29901010018"),
    ("HU-TAJ", "123456788"),
    ("HU-tax", "8422780135"),
    ("JMBG", "0101990710008"),
    ("JMBG", "0101980710000"),  # a remainder of ten
    ("MD-IDNP", "2000000000004"),
    ("RO-CNP", "1800101221144"),
    ("SI-tax", "12345679"),
    ("TR-TCKN", "12345678950"),
]


@pytest.mark.parametrize(("scheme", "number"), VALID)
def test_a_right_check_digit_passes(scheme: str, number: str) -> None:
    form, check = SCHEMES[scheme].form, SCHEMES[scheme].check
    assert form.fullmatch(number)
    assert check(number)


@pytest.mark.parametrize("scheme", sorted(SCHEMES))
def test_a_changed_digit_fails(scheme: str) -> None:
    form, check = SCHEMES[scheme].form, SCHEMES[scheme].check
    number = next(valid for name, valid in VALID if name == scheme)
    changed = number[:-2] + str((int(number[-2]) + 1) % 10) + number[-1]
    assert form.fullmatch(changed)
    assert not check(changed)


@pytest.mark.parametrize(
    ("scheme", "number"),
    [
        ("JMBG", "3202990710006"),
        ("JMBG", "0113990710006"),
        ("BG-EGN", "7519010010"),
        ("RO-CNP", "1801301221144"),
        ("HU-SzA", "18013320010"),
        ("AL-NID", "J01301999W"),
    ],
)
def test_a_number_with_an_impossible_birthday_fails(scheme: str, number: str) -> None:
    assert not SCHEMES[scheme].check(number)


def test_a_cnp_remainder_of_ten_gives_one() -> None:
    """The law's exception; a remainder of nine stays nine."""
    check = SCHEMES["RO-CNP"].check
    assert check("1800101000001")
    assert [digit for digit in "0123456789" if check("180010100001" + digit)] == ["8"]


def test_schemes_name_their_countries() -> None:
    """Every party but Kosovo*, whose own number has no published check, has a scheme of its own or shares one."""
    countries = {country for scheme in SCHEMES.values() for country in scheme.countries}
    assert countries == {"AL", "AT", "BA", "BG", "HR", "HU", "MD", "ME", "MK", "RO", "RS", "SI", "TR", "XK"}


def test_one_number_may_satisfy_several_schemes() -> None:
    assert schemes_of("0101990710008") == ("JMBG", "MD-IDNP")
