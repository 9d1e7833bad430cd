"""Encodings of lists, recognized from their bytes."""

import codecs
from dataclasses import replace
from io import BytesIO

import pytest

from aquila.errors import InputError
from aquila.records.reading.layouts import ENCODINGS, Encoding, FoundLayout, Layout, as_utf_8, find_encoding
from aquila.records.reading.lists import open_list, read_records
from aquila.records.rows import AcceptedRow, RefusedRow

NAMES = {
    "Albanian": "Hoxha Ardit, Çela Besnik, Dërvishi Blerim, Gjoka Erëza, Krasniqi Çlirim, Gëzim Hysën",
    "Bulgarian": "Георгиев Иван, Петров Димитър, Стоянов Красимир, Желязков Щерю, Юруков Ангел",
    "Croatian": "Horvat Ivan, Kovačević Željka, Babić Marija, Jurić Šime, Đurđica Knežević, Đaković Ćiro",
    "German": "Müller Jürgen, Groß Käthe, Schröder Björn, Weiß Jörg",
    "Greek": "Παπαδόπουλος Γεώργιος, Νικολαΐδης Ιωάννης, Γεωργίου Μαρία, Οικονόμου Άννα",
    "Hungarian": "Nagy László, Kovács Győző, Tóth Erzsébet, Szűcs Ágnes, Horváth Jenő",
    "Macedonian": "Ѓорѓиев Ѕвездан, Ќосев Горан, Стојановски Љупчо, Џамбазов Никола",
    "Romanian": "Popescu Ştefan, Ionescu Răzvan, Ţurcanu Mădălina, Dumitrăchioiu Sînziana, Pîrvu Cătălin",
    "Russian": "Кузнецов Юрий, Соловьёва Мария, Крылов Эдуард",
    "Serbian": "Đorđević Života, Šešelj Čedomir, Petrović Željko, Ćirić Đurđa, Stanišić Uroš",
    "Serbian in Cyrillic": "Ђорђевић Живота, Петровић Љубиша, Његош Џејна, Ћирић Ђурђа, Шешељ Чедомир",
    "Slovenian": "Novak Matjaž, Žagar Špela, Černač Boštjan, Hočevar Jože",
    "Turkish": "Yılmaz Ömer, Şahin Ayşe, Çelik İbrahim, Doğan Gökhan, Yıldız Uğur, Kılıç Büşra",
}
WRITTEN = {
    "windows-1250": ("Albanian", "Croatian", "German", "Hungarian", "Romanian", "Serbian", "Slovenian"),
    "iso-8859-2": ("Croatian", "Hungarian", "Romanian", "Serbian", "Slovenian"),
    "ibm852": ("Croatian", "Hungarian", "Serbian", "Slovenian"),
    "windows-1251": ("Bulgarian", "Macedonian", "Russian", "Serbian in Cyrillic"),
    "iso-8859-5": ("Bulgarian", "Macedonian", "Russian", "Serbian in Cyrillic"),
    "windows-1252": ("Albanian", "German"),
    "windows-1253": ("Greek",),
    "windows-1254": ("Turkish",),
}
CASES = [(encoding, language) for encoding, languages in WRITTEN.items() for language in languages]


def csv(language: str, *, capitals: bool = False) -> str:
    names = NAMES[language].upper() if capitals and language != "Greek" else NAMES[language]
    rows = [f"{number};{name};1980-05-03\n" for number, name in enumerate(names.split(", "))]
    return "record_id;full_name;date_of_birth\n" + "".join(rows)


@pytest.mark.parametrize(("encoding", "language"), CASES)
def test_the_old_encodings_of_the_region_are_guessed_by_their_letters(encoding: Encoding, language: str) -> None:
    """The guess may have another name where that writes the same letters alike; it is reported as a guess."""
    for capitals in (False, True):
        text = csv(language, capitals=capitals)
        content = text.encode(encoding)
        found, is_guess = find_encoding(BytesIO(content))
        assert content.decode(found) == text
        assert is_guess
        rows = list(read_records(BytesIO(content)))
        assert rows == list(read_records(BytesIO(text.encode())))
        assert all(isinstance(row, AcceptedRow) for row in rows)


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16le", "utf-16be"])
def test_unicode_is_recognized_for_certain(encoding: Encoding, mark: bool) -> None:
    for language in NAMES:
        text = csv(language)
        content = (("\ufeff" if mark else "") + text).encode(encoding)
        assert find_encoding(BytesIO(content)) == (encoding, False), language
        assert list(read_records(BytesIO(content))) == list(read_records(BytesIO(text.encode())))


def test_the_layout_says_how_a_text_was_read() -> None:
    content = csv("Serbian").encode("windows-1250")
    columns = ("record_id", "full_name", "date_of_birth")
    found = FoundLayout("csv", "windows-1250", is_guess=True, headings=columns, columns=columns)
    assert open_list(BytesIO(content)).layout == found
    chosen = Layout(encoding="iso-8859-2")
    assert open_list(BytesIO(content), chosen).layout == replace(found, encoding="iso-8859-2", is_guess=False)
    entity = '{"id": "1", "schema": "Person", "properties": {"name": ["Ана Илић"]}}\n'
    assert open_list(BytesIO(entity.encode("utf-16"))).layout == FoundLayout("ftm", "utf-16le")
    (row,) = read_records(BytesIO(entity.encode("windows-1251")))
    assert isinstance(row, AcceptedRow)
    assert row.record.full_name == "Ана Илић"


def test_ascii_is_utf_8() -> None:
    """A text that looks alike in every encoding is read in the usual one, and so is an empty file."""
    assert find_encoding(BytesIO(b"record_id,full_name\n1,Ana Ilic\n")) == ("utf-8", False)
    assert find_encoding(BytesIO(b"")) == ("utf-8", False)


def test_a_damaged_line_does_not_change_the_encoding() -> None:
    good, bad = csv("Serbian").encode(), "9;Илић Ана;1980-05-03\n".encode("windows-1251")
    rows = list(read_records(BytesIO(good + bad)))
    assert [isinstance(row, RefusedRow) for row in rows] == [False] * 5 + [True]
    last = rows[-1]
    assert isinstance(last, RefusedRow)
    assert "not text in the encoding" in last.findings[0].reason


def test_a_long_line_that_is_cut_for_the_sample_is_still_utf_8() -> None:
    assert find_encoding(BytesIO(("x" + "ш" * 3_000 + "\n").encode())) == ("utf-8", False)


def test_bytes_that_are_no_text_are_no_list() -> None:
    with pytest.raises(InputError, match="no known column"):
        open_list(BytesIO(bytes(range(0x80, 0x100)) + b"\n"))


def test_every_encoding_is_one_that_python_knows() -> None:
    assert all(codecs.lookup(name) for name in ENCODINGS)


@pytest.mark.parametrize("encoding", ["utf-16le", "utf-16be"])
def test_utf_16_is_transcoded_whatever_its_pieces(encoding: Encoding) -> None:
    """A character of two units may be cut by a piece; half of one makes its line invalid, and no other."""
    text = "x" * 32_767 + "\U0001f600" * 40_000 + "\nш\n"
    stream = as_utf_8(BytesIO(text.encode(encoding)), encoding)
    assert stream.read().decode() == text
    broken = "a\n".encode(encoding) + "\ud83d".encode(encoding, "surrogatepass") + "\nb\n".encode(encoding) + b"\x00"
    lines = as_utf_8(BytesIO(broken), encoding).readlines()
    assert [lines[0], lines[2]] == [b"a\n", b"b\n"]
    for line in (lines[1], lines[3]):
        with pytest.raises(UnicodeDecodeError):
            line.decode()
