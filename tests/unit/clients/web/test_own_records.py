"""The pages of a party's own records: how a list is read before it is stored, searches, one record."""

import io
import os
import re
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from anyio import CapacityLimiter, sleep, to_thread

from aquila.errors import InputError
from aquila.records.person import FIELDS
from clients.web.app import list_work
from clients.web.app.list_work import ListWork
from clients.web.app.uploads import Upload
from services.kit.logging import ROOT, JsonLines
from tests.support.spreadsheets import xlsx

HOSTILE = "<script>alert(1)</script>"
LIST = (
    "record_id,given_names,family_names,date_of_birth,aliases\n"
    "si-1,Ana,Novak,1985-07-07,\n"
    "si-2,Драган,Хаџи-Петровић,1971-05-06,Гаги\n"
)


async def preview(browser: Any, content: str | bytes = LIST, name: str = "", file: str = "list.csv") -> str:
    octets = content.encode() if isinstance(content, str) else content
    await browser.open("/records")
    page: str = await browser.send("/records/preview", name=name, files={"file": (file, io.BytesIO(octets), "")})
    return page


def uploads_of(node: Any) -> list[Upload]:
    return list(node.app._site.uploads._held.values())


def waiting_in(page: str) -> str:
    return page.split('name="upload_id" value="')[1][:32]


async def store(browser: Any, content: str = LIST, name: str = "Autumn") -> None:
    await preview(browser, content, name)
    assert HOSTILE not in browser.page
    await browser.send("/records/store", upload_id=waiting_in(browser.page))
    assert "The list is stored." in browser.page


async def search(browser: Any, **fields: str) -> str:
    await browser.open("/search")
    found: str = await browser.send("/search", **{"name": "", "number": ""} | fields)
    return found


async def test_preview_shows_how_names_are_read(node: Any) -> None:
    """Each name as it is written beside its words; rules in words, with what is held back; the page is not kept."""
    browser = await node.visitor("ana", "officer")
    many = "".join(f"m-{n},Eva,Kos,19{n}-01-02,\n" for n in range(10, 24))
    page = await preview(browser, LIST + many)
    assert browser.answer.headers["cache-control"] == "no-store"
    assert "Хаџи-Петровић" in page
    assert "<code>hadipetrovic</code>" in page
    assert "A given and a family name agree in their folded spelling" in page
    row = page.split('<small lang="en">name pair</small>')[1].split("</tr>")[0]
    assert re.findall(r">(\d+)</td>", row) == ["16", "14"]
    assert len(page.encode()) < 100_000
    assert "Of 100 family names of this list, 100 are one of its 40 most usual ones." in page
    assert "cannot give this list a high certainty" not in page


async def test_preview_groups_findings(node: Any) -> None:
    """Field, reason, number, first line and an example of each; the lines themselves are folded if there are many."""
    browser = await node.visitor("ana", "officer")
    rows = "".join(f"m-{n},Eva,Kos,4|{n}|80,\n" for n in range(10, 30)) + f"h-1,Eva,Kos,{HOSTILE},\n"
    dated = "".join(f"g-{n},Eva,Kos,19{n}0102,\n" for n in range(10, 20))
    page = await preview(browser, LIST + dated + rows)
    assert HOSTILE in page
    assert HOSTILE not in browser.answer.text  # there it is no markup
    groups = page.split("<h2>Findings</h2>")[1].split("</table>")[0]
    assert '<code class="nowrap">4|10|80</code>' in groups
    assert re.findall(r">(\d+)</td>", groups) == ["21", "14"]
    assert "<details><summary>Line by line</summary>" in page
    assert '<code class="nowrap">4|29|80</code>' in page.split("Line by line")[1].split("</table>")[0]
    page = await preview(browser, LIST + rows)
    assert "of 23 dates of birth in column 4 21 cannot be read" in page
    fault = page.split('role="alert"')[1].split("</div>")[0]
    assert "9|99|99" in fault
    assert "4|10|80" not in fault


async def test_preview_says_in_which_encoding_a_file_is(node: Any) -> None:
    """A guess is called one; another encoding that is chosen shows other names, and is the one that is stored."""
    browser = await node.visitor("ana", "officer")
    content = "record_id;full_name\n1;Živko Čolić\n2;Šime Đurić\n".encode("windows-1250")
    page = await preview(browser, content, file="list.txt")
    assert "Latin letters of Central Europe (Windows-1250)</p>" in page
    assert "Check the names below." in page
    assert "Živko Čolić" in page
    waiting = waiting_in(page)
    page = await browser.send("/records/layout", upload_id=waiting, encoding="windows-1252")
    assert "Živko Èoliæ" in page
    assert "Check the names below." not in page
    await browser.send("/records/store", upload_id=waiting)
    assert "The list is stored." in browser.page
    assert "Èoliæ" in await search(browser, text="Èoliæ")


async def test_preview_of_a_spreadsheet_lets_one_choose_the_sheet(node: Any) -> None:
    browser = await node.visitor("ana", "officer")
    header = ("record_id", "full_name")
    content = xlsx([["Lista <lica>"]], [header, ("1", "Ana Ilić")], [header, ("2", "Mia Ilić"), ("3", "Iva Ilić")])
    page = await preview(browser, content, file="l.xlsx")
    assert "Excel workbook (.xlsx), sheet 2 of 3: List 2" in page
    waiting = waiting_in(page)
    page = await browser.send("/records/layout", upload_id=waiting, sheet="3")
    assert "<strong>2</strong>" in page
    assert "Mia Ilić" in page
    page = await browser.send("/records/layout", upload_id=waiting, sheet="1")
    assert browser.answer.status_code == 422
    assert "the first line names no known column" in page
    assert "Store this list?" not in page
    await browser.send("/records/layout", upload_id=waiting)
    await browser.send("/records/store", upload_id=waiting)
    assert "The list is stored." in browser.page


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_the_line_of_the_headings_is_found_or_chosen(node: Any, form: str) -> None:
    """The first lines are shown, and the one that names the columns is chosen; a person may say otherwise."""
    browser = await node.visitor("ana", "officer")
    rows = [("List of 24 November",), ("record_id", "full_name"), ("a", "b"), ("1", "Ana Ilić"), ("2", "Mia Ilić")]
    content = xlsx(rows) if form == "xlsx" else "".join(",".join(row) + "\n" for row in rows)
    page = await preview(browser, content, file=f"l.{form}")
    assert "Line of the headings: 2</summary>" in page
    assert '<label for="heading-1">1: List of 24 November</label>' in page
    assert '<label for="heading-4">4: 1 | Ana Ilić</label>' in page
    assert 'value="2" checked>' in page
    assert "<strong>3</strong>" in page
    waiting, sheet = waiting_in(page), "1" if form == "xlsx" else ""
    page = await browser.send("/records/layout", upload_id=waiting, heading="3", sheet=sheet, of_sheet=sheet)
    assert "Line of the headings: 3</summary>" in page
    columns = ["record_id", "full_name"]
    page = await browser.send(
        "/records/layout", upload_id=waiting, heading="3", sheet=sheet, of_sheet=sheet, column=columns
    )
    assert "<strong>2</strong>" in page
    await browser.send("/records/store", upload_id=waiting)
    assert "The list is stored." in browser.page
    assert "Mia Ilić" in await search(browser, text="Mia Ilić")


async def test_columns_are_mapped_by_hand(node: Any) -> None:
    """The page suggests what each column holds; once stored, the choice is used for the next list unasked."""
    browser = await node.visitor("ana", "officer")
    content = "Broj;Prezime;Ime;Oznaka\nq-1;Kos;Eva;1980-01-02\n"
    page = await preview(browser, content)
    assert browser.answer.status_code == 422
    assert "are not the names of fields" in page
    assert page.count("selected>") == 4  # three columns, and the encoding
    waiting = waiting_in(page)
    columns = ["record_id", "family_names", "given_names", "date_of_birth"]
    page = await browser.send("/records/layout", upload_id=waiting, column=columns)
    assert "<strong>1</strong>" in page
    await browser.send("/records/store", upload_id=waiting)
    assert "The list is stored." in browser.page
    page = await preview(browser, content, file="m.csv")
    assert browser.answer.status_code == 200
    assert "1980-01-02" in page


async def test_a_list_is_looked_through_with_what_changed(node: Any) -> None:
    browser = await node.visitor("ana", "officer")
    await store(browser, LIST, "Spring")
    await store(browser, LIST + "".join(f"n-{number},Eva,Kos,1980,\n" for number in range(60)), "Summer")
    place = str(browser.answer.url.path)
    assert "Spring" in browser.page
    page = await browser.open(f"{place}/all")
    assert "62 records" in page
    assert "Novak" in page
    assert "n-59" in await browser.open(f"{place}/all?offset=50")
    assert "n-59" not in await browser.open(f"{place}/all?offset=x")


async def test_templates_are_there_to_be_filled_in(node: Any) -> None:
    browser = await node.visitor("ana", "officer")
    assert "/records/template.xlsx" in await browser.open("/records")
    answer = await browser.client.get("/records/template.xlsx")
    assert answer.content.startswith(b"PK")
    assert answer.headers["content-disposition"] == 'attachment; filename="list.xlsx"'
    assert "record_id;given_names" in (await browser.client.get("/records/template.csv")).text
    assert (await browser.client.get("/records/template.pdf")).status_code == 404


async def test_pages_of_a_search(node: Any) -> None:
    """Many records come fifty at a time, forward and back, by forms: no address holds what was looked for."""
    browser = await node.visitor("ana", "officer")
    rows = "".join(f"n-{n},Ana,Novak,1985-07-{1 + n % 28:02},\n" for n in range(120))
    await store(browser, LIST.splitlines()[0] + "\n" + rows)
    page = await search(browser, text="novak", alike="yes")
    assert "1 - 50 / 120" in page
    assert "Earlier ones" not in page
    assert len(page.encode()) < 100_000
    for offset, shown in (("50", "51 - 100 / 120"), ("100", "101 - 120 / 120"), ("50", "51 - 100 / 120")):
        assert f'name="offset" value="{offset}"' in browser.page
        page = await browser.send("/search", text="novak", alike="yes", offset=offset)
        assert shown in page
        assert browser.answer.url.path == "/search"
        assert not browser.answer.url.query


async def test_one_record(node: Any) -> None:
    """An analyst sees fields, how names are read, the list, its rounds and hits, and erases it; then it is gone."""
    officer, analyst = await node.visitor("ana", "officer"), await node.visitor("eva", "analyst")
    await store(officer)
    await search(analyst, text="Hadži")
    path = re.search(r'href="(/search/[0-9a-f]{32}/\d+)"', analyst.page)
    assert path
    page = await analyst.open(path[1])
    assert analyst.answer.headers["cache-control"] == "no-store"
    for text in ("Хаџи-Петровић", "<code>gagi</code>", "Autumn", "Its hits", "None yet.", "Erase your record"):
        assert text in page
    assert "<title>Record - Aquila</title>" in page
    seen = await officer.open(path[1])
    assert "Its hits" not in seen
    assert "Erase your record" not in seen
    await analyst.open(path[1])
    assert "The record is erased" in await analyst.send("/hits/erase", record_id="si-2", sure="yes")
    await analyst.open(path[1])
    assert analyst.answer.status_code in {404, 200}
    assert "Петровић" not in analyst.page
    assert "No record in your lists matches" in await search(analyst, text="Hadži")


async def test_hostile_records(node: Any) -> None:
    """Markup in any field of a record is text in the preview, on its list's pages, in a search and on its own page."""
    browser = await node.visitor("ana", "officer")
    rows = [
        {"record_id": str(number), "given_names": "Ana", "family_names": "Novak"} | {field: f"Kos {HOSTILE}"}
        for number, field in enumerate(FIELDS)
    ]
    lines = [FIELDS, *([row.get(field, "") for field in FIELDS] for row in rows)]
    await store(browser, "".join(",".join(line) + "\n" for line in lines), name=HOSTILE)
    stored = browser.answer.url.path
    for page in ("/records", stored, f"{stored}/duplicates"):
        await browser.open(page)
        assert browser.answer.status_code == 200
        assert HOSTILE not in browser.page
    places: set[str] = set()
    for name in ("ana", "kos"):
        await search(browser, text=name)
        assert HOSTILE not in browser.page
        places.update(re.findall(r'href="(/search/[0-9a-f]{32}/\d+)"', browser.page))
    assert len(places) == len(FIELDS)
    for place in places:
        await browser.open(place)
        assert browser.answer.status_code == 200
        assert HOSTILE not in browser.page
    await search(browser, text=HOSTILE)
    assert HOSTILE not in browser.page


async def test_no_name_in_an_address_or_a_log_line(node: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever looks through a list, searches and looks at a record leaves no name in an address or in the logs."""
    caplog.set_level("DEBUG", ROOT)
    browser = await node.visitor("ana", "officer", "analyst")
    asked = []

    async def note(request: Any) -> None:
        asked.append(f"{request.url} {request.headers.get('referer', '')}")

    browser.client.event_hooks["request"].append(note)
    await store(browser)
    await search(browser, text="Hadži-Petrović")
    await browser.open(re.findall(r'href="(/search/[0-9a-f]{32}/\d+)"', browser.page)[0])
    await search(browser, text="si-2")
    await browser.open("/search?name=ignored")
    lines = "\n".join(map(JsonLines().format, caplog.records)).lower()
    assert "/search" in lines
    for word in ("hadž", "hadzi", "petrovi", "петрови", "novak", "si-2"):
        assert word not in lines
        assert not [address for address in asked if word in address.lower()]


async def test_a_delivered_list_is_looked_through_and_stored(node: Any, homes: Path) -> None:
    """It takes the way of a file that was chosen; one that is being written shows why it waits; one can be removed."""
    browser = await node.visitor("ana", "officer")
    assert "Delivered lists" not in await browser.open("/records")
    rested = (node.clock[0] - 3_600,) * 2
    for name in ("nightly.csv", "old.csv", "growing.csv"):
        (homes / "deliveries" / name).write_text(LIST)
        os.utime(homes / "deliveries" / name, rested if name != "growing.csv" else (node.clock[0],) * 2)
    page = await browser.open("/records")
    assert page.count('action="/records/delivered"') == 2
    assert "less than 60 seconds ago" in page
    row = page.split("nightly.csv")[1]
    page = await browser.send("/records/delivered", delivery_id=row.split('name="delivery_id" value="')[1][:32])
    assert "Хаџи-Петровић" in page
    waiting = waiting_in(page)
    await browser.send("/records/layout", upload_id=waiting, encoding="windows-1250")
    await browser.send("/records/layout", upload_id=waiting, encoding="utf-8")
    await browser.send("/records/store", upload_id=waiting)
    assert "The list is stored." in browser.page
    page = await browser.open("/records")
    old = page.split("old.csv")[1].split('name="delivery_id" value="')[1][:32]
    assert "The file old.csv is deleted from the folder without being stored." in page
    await browser.send(f"/records/delivered/{old}/remove")
    assert "The file is removed from the folder." in browser.page
    assert [path.name for path in (homes / "deliveries").iterdir()] == ["growing.csv"]
    gone = await browser.send("/records/delivered", delivery_id=old)
    assert "does not wait in the folder" in gone


async def test_a_record_is_corrected_and_taken_out(node: Any) -> None:
    browser = await node.visitor("ana", "officer")
    await store(browser)
    await search(browser, text="si-1")
    place = re.findall(r'href="(/search/[0-9a-f]{32}/\d+)"', browser.page)[0]
    await browser.open(f"{place}/correct")
    assert 'value="Novak"' not in browser.page  # names are lists: one on each line
    assert "Novak</textarea>" in browser.page
    few = await browser.send(f"{place}/correct", given_names="Ana", date_of_birth="")
    assert browser.answer.status_code == 422
    assert "These fields give no record" in few
    fields = {"given_names": "Ana\nAnica", "family_names": "Kovač", "date_of_birth": "1985-07-08"}
    seen = await browser.send(f"{place}/correct", **fields)
    assert "Anica" in seen
    assert "Store the correction" in seen
    assert "Novak" in await browser.open(place)
    await browser.open(f"{place}/correct")
    hidden = {"given_names": ["Ana", "Anica"], "family_names": "Kovač", "date_of_birth": "1985-07-08", "store": "yes"}
    await browser.send(f"{place}/correct", **hidden)
    assert "The correction is stored." in browser.page
    assert "Kovač" in browser.page
    assert "Novak" not in browser.page
    await browser.send(f"{place}/take-out")
    assert "The record is taken out of its list." in browser.page
    assert "Kovač" not in await search(browser, text="si-1")


async def until_done(browser: Any) -> str:
    """Load the page of a list again, as a browser without scripts does, until it is looked through or stored."""
    page = str(browser.page)
    while 'http-equiv="refresh"' in page:
        waiting = re.findall('data-live="([^"]+)/live', browser.page)[0]
        page = await browser.open(waiting)
    return page


def named(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def long_list(rows: int) -> bytes:
    """Return a list of different persons that is read in the background."""
    head = "record_id,given_names,family_names,date_of_birth,remark\n"
    return (
        head + "".join(f"long-{n},Ana,Novak{named(n)},{1940 + n % 60}-07-01,{'x' * 250}\n" for n in range(rows))
    ).encode()


async def test_a_long_list_shows_how_far_it_is(node: Any) -> None:
    """Looking through and storing go on while their page is shown, which loads itself again until the result."""
    browser = await node.visitor("ana", "officer")
    await browser.open("/records")
    files = {"file": ("l.csv", io.BytesIO(long_list(1_200)), "")}
    await browser.send("/records/preview", name="Long", files=files, follow=False)
    place = browser.answer.headers["location"]
    assert place.startswith("/records/waiting/")
    await browser.open(place)
    page = await until_done(browser)
    assert "Store 1,200 records" in page
    assert "waiting for you to decide whether to store it." in await browser.open("/records")
    assert "event: changed" in (await browser.client.get(f"{place}/live?shown=0")).text
    assert "event: ended" in (await browser.client.get(f"{place}/live")).text
    assert "Store 1,200 records" in await browser.open(place)
    await browser.send("/records/store", upload_id=place.rsplit("/", 1)[1], follow=False)
    assert browser.answer.headers["location"] == place
    await browser.open(place)
    await until_done(browser)
    assert "The list is stored." in browser.page
    await browser.open(place)
    assert browser.answer.status_code == 422


async def test_a_list_whose_reading_was_ended_is_looked_through_again(node: Any) -> None:
    """Whoever left its page for long and comes back gets the result; with the script of the page nothing else asks."""
    browser = await node.visitor("ana", "officer")
    await preview(browser, long_list(1_200), "Long")
    place = str(browser.answer.url.path)
    await until_done(browser)
    [upload] = uploads_of(node)
    ended = upload.work
    assert not ended.was_ended
    assert not ended.is_watched
    await browser.client.get(f"{place}/live")
    assert ended.is_watched
    ended.error = InputError("reading_ended")
    assert ended.was_ended
    assert "looked through again when you come back" in await browser.open(place)
    assert upload.work is not ended
    assert "Store 1,200 records" in await until_done(browser)


@pytest.mark.parametrize(("is_watched", "waits", "most"), [(False, True, 3), (True, True, 0), (False, False, 1)])
async def test_a_page_without_scripts_keeps_its_reading(
    *, is_watched: bool, waits: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as its list waits the node is asked in its place; not once a browser asks by itself, and not after."""
    monkeypatch.setattr(list_work, "_ASK_SECONDS", 0.01)
    work, asked, is_over = ListWork(storing=False, is_watched=is_watched), list[int](), Event()

    def ask() -> bool:
        asked.append(len(asked))
        if len(asked) == 3:
            is_over.set()
        return waits

    await to_thread.run_sync(work.start, lambda: is_over.wait(20 if most == 3 else 0.5), CapacityLimiter(4), ask)
    for _ in range(2_000):
        if work.done:
            break
        await sleep(0.01)
    assert is_over.is_set() if most == 3 else len(asked) == most


async def test_a_sign_out_ends_the_questions(node: Any) -> None:
    browser = await node.visitor("ana", "officer")
    await preview(browser, long_list(1_200), "Long")
    await until_done(browser)
    [upload] = uploads_of(node)
    await browser.open("/records")
    await browser.send("/sign-out")
    assert uploads_of(node) == []
    assert upload.source.closed
