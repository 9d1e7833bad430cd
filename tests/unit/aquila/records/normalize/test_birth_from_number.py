"""What a national number tells of its bearer."""

from collections.abc import Callable

import pytest

from aquila.records.normalize import national_numbers as births
from aquila.records.normalize.national_numbers import NumberBirth
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
    told: NumberBirth,
    birth: PartialDate | None,
    sex: str | None,
    contradicts: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert told.contradicts(birth, sex) is contradicts
