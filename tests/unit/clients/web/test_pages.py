"""What people see and do on the pages of a node and of the matcher, without a browser."""

import csv
import io
import re
from html import unescape
from typing import Any

import httpx
from sqlalchemy import select, update

from aquila.audit.entries import Entry, EntryKind
from aquila.audit.proven_entry import read_proven_entry
from aquila.crypto.keys import short_digits
from clients.web.i18n.languages import TAGS, languages
from clients.web.text.glossary import TERMS
from services.kit.log.entries import ENTRIES, append
from tests.support.sample_templates import TEMPLATES_FILE
from tests.support.web_world import ORIGIN, PASSWORD

HOSTILE = "<script>alert(1)</script>"
LIST = (
    "record_id,given_names,family_names,date_of_birth\n"
    "si-1,Ana,Novak,1985-07-07\n"
    "si-2,Драган,Петровић,1971-05-06\n"
    "si-3,,,\n"
)


async def look_through(browser: Any, content: str = LIST, name: str = "") -> str:
    await browser.open("/records")
    files = {"file": ("list.csv", io.BytesIO(content.encode()), "text/csv")}
    page: str = await browser.send("/records/preview", name=name, files=files)
    return page


def upload_id(browser: Any) -> str:
    found: str = browser.page.split('name="upload_id" value="')[1][:32]
    return found


async def test_set_up(node: Any) -> None:
    """Whoever holds the home's key makes the administrator, who enrols and then sees accounts and no record."""
    browser = node.browser()
    await browser.open("/set-up")
    await browser.send("/set-up", key="wrong", login="root")
    assert "not the key of this service" in browser.page
    await browser.send("/set-up", key=node.token, login="root")
    assert "<svg" in browser.page
    assert node.token not in browser.page
    # Who has not enrolled is no administrator yet: the page is still there, and goes with the first who can sign in.
    assert "/set-up" in await browser.open("/sign-in")
    await browser.open("/set-up")
    administrator = await node.visitor("boss", "administrator")
    assert "is set up" in await browser.send("/set-up", key=node.token, login="second")
    assert "/set-up" not in browser.page
    await browser.open("/set-up")
    assert browser.answer.url.path == "/sign-in"
    page = await administrator.open("/people")
    assert "root" in page
    assert "second" not in page
    assert "has to enrol" in page
    assert ">Records<" not in page
    assert (await administrator.client.get("/records")).status_code == 403


async def test_the_language_is_kept_with_the_account(node: Any) -> None:
    """A choice goes with the person to the next browser; a browser that had chosen another one reads the person's."""
    person, first, second = await node.enrol("ana", "officer"), node.browser(), node.browser()
    await first.open("/sign-in")
    await first.send("/language", tag="sq", back="/sign-in")
    assert '<html lang="sq">' in first.page
    await first.send("/sign-in", login="ana", password=PASSWORD, code=person.code(), next="/")
    await second.open("/sign-in")
    await second.send("/language", tag="en", back="/sign-in")
    await second.sign_in(person)
    assert '<html lang="sq">' in second.page
    await second.send("/language", tag="sr-Cyrl", back="/account")
    assert '<html lang="sr-Cyrl">' in second.page
    await first.sign_in(person)
    assert '<html lang="sr-Cyrl">' in first.page
    assert first.page.index('action="/language"') < first.page.index("<main")


async def test_account_is_made_and_ended(node: Any) -> None:
    administrator = await node.visitor("boss", "administrator")
    await administrator.open("/people")
    page = await administrator.send("/people", login="eva", role=["officer", "analyst"])
    assert "enrolment code" in page
    assert "enrolment code" not in await administrator.open("/people")
    ana = await node.visitor("ana", "officer")
    person = (await ana.open("/account")).split("p-")[1][:12]
    page = await administrator.open("/people")
    # Each step says what follows before its second button takes it.
    steps = page.split('action="/people/p-' + person)
    assert len(steps) == 4  # roles, enrolment, end
    words = ("sessions of ana end", "Password and authenticator of ana", "ana cannot")
    for step, following in zip(steps, words, strict=False):
        assert following in step[step.rindex("<details") :]
    page = await administrator.send(f"/people/p-{person}/roles", role=["officer", "auditor"])
    assert "The roles are changed." in page
    assert "Sign in" in await ana.open("/records")
    assert "can no longer sign in" in await administrator.send(f"/people/p-{person}/deactivate")
    assert "Sign in" in await ana.open("/records")


async def test_account_of_a_program(node: Any) -> None:
    """Its token is shown once; it opens no page, and ends for good."""
    administrator = await node.visitor("boss", "administrator")
    await administrator.open("/people")
    form = {
        "program_login": "Case-System",
        "program_role": "analyst",
        "networks": "127.0.0.1 192.0.2.0/24",
        "days": "9",
    }
    page = await administrator.send("/people/programs", **form)
    token = re.findall(r"<code>(aquila-program-[^<]+)</code>", page)
    assert len(token) == 1
    page = await administrator.open("/people")
    assert "aquila-program-" not in page
    assert "127.0.0.1/32, 192.0.2.0/24" in page
    assert "is no address and no network" in await administrator.send("/people/programs", **form | {"networks": "here"})
    browser = node.browser()
    browser.client.cookies.set("aquila-session-8701", token[0])
    for path in ("/", "/hits"):
        await browser.open(path)
        assert browser.answer.status_code == 403
    page = await administrator.open("/people")
    person = re.findall(r'action="/people/(p-[0-9a-f]{12})/deactivate"', page)
    assert len(person) == 1
    page = await administrator.send(f"/people/{person[0]}/deactivate")
    assert f"/people/{person[0]}/" not in page


async def test_a_file_that_was_not_chosen(node: Any) -> None:
    officer = await node.visitor("ivo", "officer")
    await officer.open("/records")
    content = {"file": ("", b"", "text/csv")}
    page = await officer.send("/records/preview", headers={"referer": f"{ORIGIN}/records"}, files=content)
    assert officer.answer.status_code == 422
    assert '<a href="#file">File</a>: no file was chosen' in page
    assert 'aria-describedby="file-fault file-why"' in page


async def test_a_form_comes_back_with_its_faults(node: Any) -> None:
    administrator = await node.visitor("boss", "administrator")
    await administrator.open("/people")
    page = await administrator.send("/people", headers={"referer": f"{ORIGIN}/people"}, login="1 <b>", role="officer")
    assert administrator.answer.status_code == 422
    assert re.search(r"<title>Error: (\(1\) )?Accounts - Aquila</title>", page)  # an unreachable matcher waits for her
    assert '<a href="#login">Login</a>: this is missing, or cannot be used as it is written' in page
    assert 'value="1 &lt;b&gt;"' in administrator.page
    assert re.search(
        r'<input id="login"[^>]* aria-invalid="true" aria-describedby="login-fault login-why">', administrator.page
    )
    assert re.search(r'id="role-officer"[^>]* checked', administrator.page)
    # A refusal of the service too: the login is taken, and nobody was ticked.
    page = await administrator.send("/people", headers={"referer": f"{ORIGIN}/people"}, login="boss", role="officer")
    assert '<a href="#login">Login</a>: there is an account of this login' in page
    # The page that came back has the address of its form, and names itself.
    page = await administrator.send("/people", headers={"referer": f"{ORIGIN}/no-page"}, page="/people", login="eva")
    assert 'aria-describedby="role-fault"' in page
    for referer in ("http://elsewhere.example/people", f"{ORIGIN}/no-such-page", f"{ORIGIN}//people", ""):
        await administrator.open("/people")
        page = await administrator.send("/people", headers={"referer": referer}, login="1", role="officer")
        assert administrator.answer.status_code == 422
        assert "these fields cannot be used: login" in page


async def test_terms_are_explained_where_they_appear(node: Any) -> None:
    browser = await node.visitor("ana", "analyst", "approver", "auditor")
    for path, name in (("/", "fingerprint"), ("/approvals", "dual-control"), ("/log", "log"), ("/hits", "hit")):
        page = await browser.open(path)
        assert browser.answer.status_code == 200
        assert f'popovertarget="term-{name}"' in page
    assert re.search(r'id="term-hit" popover><strong[^>]*>hit</strong> Two parties may each hold', page)
    assert 'href="#rows"' in page.split("<main")[0]
    for tag in TAGS:
        await browser.send("/language", tag=tag, back="/glossary")
        for name, term in TERMS.items():
            assert f'<dt id="{name}"' in browser.page
            assert languages()[tag].say(term.meaning) in unescape(browser.page)
            assert term.meaning.count(". ") == 1
    assert "Sign in" in await node.browser().open("/glossary")


async def test_every_finding_of_a_long_list_is_saved(node: Any) -> None:
    """The page says how many it shows of how many; the file has a line for each, and nothing that a table would run."""
    rows = "".join(f"{'=' if number == 2 else ''}f-{number},Secret,,,\n" for number in range(2, 1_502))
    browser = await node.visitor("ana", "officer")
    page = await look_through(browser, "record_id,given_names,family_names,date_of_birth,aliases\n" + rows)
    assert "The first 100 of 1,500 are shown." in page
    saved = await browser.send("/records/findings.csv", upload_id=upload_id(browser))
    found = list(csv.DictReader(io.StringIO(saved)))
    assert [int(one["line"]) for one in found] == list(range(2, 1_502))
    assert found[0]["record"] == "'=f-2"
    assert found[-1]["record"] == "f-1501"
    assert {one["severity"] for one in found} == {"refusal"}
    assert "Secret" not in saved
    assert browser.answer.headers["content-disposition"] == 'attachment; filename="findings.csv"'


async def test_list_is_looked_through_and_stored(node: Any) -> None:
    browser = await node.visitor("ana", "officer")
    page = await look_through(browser, name="Autumn")
    assert "Autumn" in page
    assert "row refused" in page
    assert "no list" not in await browser.open("/records")
    await look_through(browser, name="Autumn")
    waiting = upload_id(browser)
    findings = await browser.send("/records/findings.csv", upload_id=waiting)
    assert findings.startswith('"line","record","field","severity","reason"')
    assert "si-3" in findings
    page = await browser.send("/records/store", upload_id=waiting, accept_refused="yes")
    assert "The list is stored." in page
    assert "Autumn" in await browser.open("/records")
    await browser.send("/records/store", upload_id=waiting)
    assert browser.answer.status_code == 422


async def test_file_waits_for_its_own_session(node: Any) -> None:
    ana, eva = await node.visitor("ana", "officer"), await node.visitor("eva", "officer")
    await look_through(ana)
    waiting = upload_id(ana)
    await eva.open("/records")
    await eva.send("/records/store", upload_id=waiting)
    assert eva.answer.status_code == 422
    await eva.open("/records")
    await eva.send("/records/findings.csv", upload_id=waiting)
    assert eva.answer.status_code == 422


async def test_list_is_deleted(node: Any) -> None:
    browser = await node.visitor("ana", "officer")
    await look_through(browser)
    await browser.send("/records/store", upload_id=upload_id(browser), accept_refused="yes")
    import_id = browser.answer.url.path.split("/")[-1]
    assert "None were found." in await browser.open(f"/records/{import_id}/duplicates")
    assert "The list is deleted." in await browser.send(f"/records/{import_id}/delete")
    await browser.open(f"/records/{import_id}")
    assert browser.answer.status_code == 404


async def test_empty_node(node: Any) -> None:
    browser = await node.visitor("ana", "officer", "analyst")
    assert "Nothing is waiting for you" in await browser.open("/")
    assert "No round yet" in await browser.open("/rounds")
    assert "No hit here" in await browser.open("/hits")
    assert "There is none yet" in await browser.open("/records")


async def test_wrong_filter(node: Any) -> None:
    browser = await node.visitor("ana", "analyst")
    for query in ("certainty=none", "stage=x", "offset=-1", "older_than_hours=abc", "round_id=<b>"):
        await browser.open(f"/hits?{query}")
        assert browser.answer.status_code == 422
        assert "<b>" not in browser.page


async def test_languages(node: Any) -> None:
    """The browser's language is taken, a chosen one is kept, and an unknown one changes nothing."""
    browser = node.browser()
    page = await browser.client.get("/sign-in", headers={"accept-language": "sq-AL,sq;q=0.9,en;q=0.5"})
    assert '<html lang="sq">' in page.text
    await browser.open("/sign-in")
    assert '<html lang="en">' in browser.page
    await browser.send("/language", tag="sr-Cyrl", back="/sign-in")
    assert '<html lang="sr-Cyrl">' in browser.page
    await browser.send("/language", tag="xx", back="//evil.example")
    assert browser.answer.url.host == "127.0.0.1"
    assert '<html lang="sr-Cyrl">' in browser.page


async def test_done_is_no_text(node: Any) -> None:
    """An address can name what was done, and cannot put a text on the page."""
    browser = await node.visitor("ana", "officer")
    assert "Send money" not in await browser.open("/records?done=Send+money")
    assert "The list is deleted." in await browser.open("/records?done=deleted")


async def test_password_is_changed(node: Any) -> None:
    person, browser = await node.enrol("ana", "officer"), node.browser()
    await browser.sign_in(person)
    await browser.open("/account")
    fields = {"password": "four words are long enough", "new_password": "another four words here", "again": "x"}
    assert "The two passwords differ." in await browser.send("/account/password", **fields, code=person.code())
    fields["again"] = fields["new_password"]
    wrong = fields | {"password": "wrong"}
    assert "was not right" in await browser.send("/account/password", **wrong, code=person.code())
    easy = fields | {"new_password": "short", "again": "short"}
    assert "too easy" in await browser.send("/account/password", **easy, code=person.code())
    page = await browser.send("/account/password", **fields, code=person.code())
    assert "Your password is changed." in page
    assert "Nothing is waiting" in await browser.open("/")


async def test_sign_out(node: Any) -> None:
    """Signing out ends the session at the service and tells the browser to forget everything of this site."""
    browser = await node.visitor("ana", "officer")
    await browser.send("/sign-out", follow=False)
    assert browser.answer.headers["clear-site-data"] == '"cache", "storage"'
    assert "Sign in" in await browser.open("/")


async def test_what_waits_for_a_second_person(matcher: Any) -> None:
    first, second = await matcher.visitor("sec-1", "secretariat"), await matcher.visitor("sec-2", "secretariat")
    terms = {
        "area": "counter-terrorism",
        "legal_basis": HOSTILE,
        "purpose": "find persons",
        "category": "fighters",
        "mode": "lists",
        "minimum_certainty": "low",
        "retention_days": "1095",
        "party": ["AL", "SI"],
    }
    await first.open("/rounds/new")
    page = await first.send("/rounds/new", **terms)
    assert "Waiting for approval." in page
    assert HOSTILE not in first.page
    assert "another person has to approve it" in page
    waiting = first.answer.url.path
    assert "Read it and decide" in await second.open("/")
    assert "Read it and decide" not in await first.open("/")
    page = await second.open(waiting)
    assert "counter-terrorism" in page
    digest = second.page.split('name="digest" value="')[1][:64]
    await second.send(f"{waiting}/approve", digest="0" * 64, read="yes")
    assert second.answer.status_code in {403, 409}
    await second.open(waiting)
    assert "takes effect" in await second.send(f"{waiting}/approve", digest=digest, read="yes")
    assert " fighters" in await first.open("/rounds")
    for way, said in (("refuse", "It is refused."), ("withdraw", "It is taken back.")):
        await first.open("/rounds/new")
        await first.send("/rounds/new", **terms)
        actor = second if way == "refuse" else first
        await actor.open(first.answer.url.path)
        assert said in await actor.send(f"{actor.answer.url.path}/{way}", reason="not now")


async def test_log(node: Any) -> None:
    """An auditor reads the log in sentences, filters it, and takes it away; an officer cannot."""
    auditor, officer = await node.visitor("aud", "auditor"), await node.visitor("ana", "officer")
    page = await auditor.open("/log?kind=sign_in")
    assert "Slovenia (SI) signed in." in page
    assert "changed an account." not in page
    assert "changed an account." in await auditor.open("/log")
    for wrong in ({"kind": "nothing"}, {"round_id": "<b>"}, {"role": "king"}, {"since": "soon"}):
        await auditor.open("/log")
        await auditor.send("/log", **wrong)
        assert auditor.answer.status_code == 422
        assert "<b>" not in auditor.page
    assert "No entry is like this." in await auditor.open(f"/log?round_id={'0' * 32}")
    await auditor.open("/log")
    page = await auditor.send("/log", text="TOTP", since="2020-01-01", party="SI")
    assert "changed an account." in page
    assert "sign-ins and looks" not in page
    assert "No entry is like this." in await auditor.send("/log", until="2020-01-01")
    await auditor.open("/log")
    await auditor.send("/log/export")
    assert auditor.answer.headers["content-type"] == "application/x-tar"
    assert (await officer.client.get("/log")).status_code == 403


async def test_sign_ins_and_looks_are_one_line(node: Any) -> None:
    """What people only looked at is one line with its number, and each of it is there behind it."""
    auditor = await node.visitor("aud", "auditor")
    for _ in range(3):
        page = await auditor.open("/log")
    assert "4 sign-ins and looks" in page
    assert page.count("Slovenia (SI, auditor) looked at the log.") == 2
    assert "sign-ins and looks" not in await auditor.open("/log?kind=log_consulted")


async def test_an_entry_has_a_page_and_a_proof(matcher: Any) -> None:
    """The Secretariat reads the log, saves an entry with its proof, has all checked, and cannot take the log away."""
    secretariat = await matcher.visitor("sec", "secretariat")
    page = await secretariat.open("/log/entries/0")
    assert "not in a checkpoint yet" in page
    assert "Save the entry" not in page
    matcher.log.own.publish()
    page = await secretariat.open("/log/entries/0")
    assert "in the signed tree" in page
    assert "word of the owner of the log" in page
    await secretariat.send("/log/entries/0/proof")
    own = matcher.log.own
    assert read_proven_entry(secretariat.answer.content).verify(own.origin, *own.keys).size > 0
    await secretariat.open("/log")
    page = await secretariat.send("/log/check")
    assert "The log holds together" in page
    assert "aquila audit verify log.tar --registry registry.toml" in page
    assert short_digits(own.key.public.fingerprint) in page
    await secretariat.send("/log/export")
    assert secretariat.answer.status_code == 403
    assert "has no entry of this round" in await secretariat.open(f"/rounds/{'0' * 32}/story")


async def test_log_in_words(node: Any) -> None:
    """What was done to whose account is said in words, in the visitor's language, with numbers behind their names."""
    auditor = await node.visitor("aud", "auditor")
    page = await auditor.open("/log?kind=account_changed")
    assert "subject: authenticator" in page
    assert re.search(r'account: <code title="p-[0-9a-f]{12}">p-', page)
    await auditor.send("/language", tag="sq", back="/log?kind=account_changed")
    assert "authenticator" not in auditor.page


async def test_log_that_was_changed(node: Any) -> None:
    """The page says how far the log is vouched for, and names entries that were changed in the database."""
    auditor = await node.visitor("aud", "auditor")
    assert "No checkpoint has been signed yet" in await auditor.open("/log")
    node.log.own.publish()
    assert "No witness has cosigned a checkpoint yet" in await auditor.open("/log")
    with node.log.own.store.transaction("test.change") as session:
        row = session.execute(select(ENTRIES.c.content).where(ENTRIES.c.index == 1)).scalar_one()
        changed = bytes(row).replace(b'"totp"', b'"roles"')
        assert changed != bytes(row)
        session.execute(update(ENTRIES).where(ENTRIES.c.index == 1).values(content=changed))
    page = await auditor.open("/log")
    assert "Entries were changed" in page
    assert "signed: 1." in page
    assert page.count(">changed</span>") == 1


async def test_long_log(node: Any) -> None:
    """A long log comes page by page, newest first, and no page is large."""
    auditor = await node.visitor("aud", "auditor")
    with node.log.own.store.transaction("test.entries") as session:
        for _ in range(100):
            append(session, Entry.of(EntryKind.LOG_EXPORTED, node.clock[0], "SI"))
    page = await auditor.open("/log")
    assert len(page) < 100_000
    below = page.split('name="below" value="')[1].split('"')[0]
    assert "changed an account." in await auditor.send("/log", below=below)


async def test_parties(matcher: Any) -> None:
    """The secretariat sees each party's fingerprint in groups to be read out, and the matcher's own."""
    officer = await matcher.visitor("sec", "secretariat")
    page = await officer.open("/parties")
    assert ">never<" in page
    assert page.count("<code>") >= 2


async def test_numbers(matcher: Any) -> None:
    for role in ("secretariat", "auditor"):
        browser = await matcher.visitor(f"the-{role}", role)
        assert "Numbers come with the first results." in await browser.open("/statistics")
        assert "Nothing to show yet" in await browser.open("/picture")
        await browser.send("/picture.pdf", category="")
        assert browser.answer.content.startswith(b"%PDF")
        await browser.open("/statistics?since=2026-11-01&until=2026-11-30")
        assert browser.answer.status_code == 200
        await browser.open("/statistics?since=yesterday")
        assert browser.answer.status_code == 422
        assert (await browser.send("/statistics.csv")).startswith('"round",')


async def test_a_round_from_a_template_and_one_like_it(matcher: Any) -> None:
    """Three actions: choose, look, propose. Terms of a template are no fields, and each language has its own words."""
    admin, first = await matcher.visitor("adm", "administrator"), await matcher.visitor("sec-1", "secretariat")
    second = await matcher.visitor("sec-2", "secretariat")
    key = {"authorization": f"Bearer {matcher.token}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=matcher.app), base_url=ORIGIN, headers=key
    ) as program:
        body = {"content": TEMPLATES_FILE.decode()}
        answer = await program.post("/v1/operator/registry/templates", json=body)
        assert answer.status_code == 202, answer.text
    page = await approved(second, f"/approvals/{answer.json()['approval_id']}")
    assert "Foreign terrorist fighters (foreign-fighters, number 1)" in page
    assert "organised-crime" in await admin.open("/registry")
    assert "Begin with a template" in await first.open("/rounds/new")
    page = await first.open("/rounds/new?template=foreign-fighters")
    assert 'type="hidden" name="purpose"' in first.page
    shown = dict(re.findall(r'name="([a-z_]+)"[^>]* value="([^"]*)"', first.page))
    sent = {
        name: unescape(text)
        for name, text in shown.items()
        if name not in {"form_token", "party", "step", "tag", "back"}
    }
    refused = await first.send("/rounds/new", **sent | {"purpose": "another one"}, party=["AL", "SI"])
    assert "differs from it in: purpose" in refused
    await first.open("/rounds/new?template=foreign-fighters")
    await first.send("/rounds/new", **sent, party=["AL", "SI"])
    assert "Waiting for approval." in unescape(first.page)
    await approved(second, first.answer.url.path)
    page = await first.open("/rounds")
    assert sent["title"] in page
    assert "Albania (AL): its consent" in page
    (path,) = set(re.findall(r'href="(/rounds/[0-9a-f]{32})"', first.page))
    assert "Propose a round like this" in await first.open(path)
    await first.open(f"/rounds/new?like={path.rpartition('/')[2]}")
    assert f'value="{sent["title"]} (2)"' in first.page
    await first.send("/language", tag="sq", back="/account")
    assert "luftëtarë të huaj terroristë" in await first.open(path)


async def approved(browser: Any, path: str) -> str:
    page: str = await browser.open(path)
    digest = browser.page.split('name="digest" value="')[1][:64]
    assert "takes effect" in await browser.send(f"{path}/approve", digest=digest, read="yes")
    return page


async def test_the_data_protection_officer_reviews_looks(node: Any) -> None:
    """Who looked at how much is shown with the rule by which a day is marked; the review itself is in the log."""
    auditor, officer = await node.visitor("aud", "auditor"), await node.visitor("dpo", "data_protection_officer")
    await auditor.open("/log")
    page = await officer.open("/looks")
    assert "more than 3 times those of the person's own usual day" in page
    assert len(re.findall(r"<code>p-[0-9a-f]{12}</code>", page)) == 1
    form = {"since": "2020-01-01", "until": "2020-01-31", "opens": "8", "closes": "16", "times": "5", "least": "9"}
    page = await officer.send("/looks", **form)
    assert "Nobody looked at anything" in page
    assert "more than 5 times" in page
    await officer.send("/looks", **form | {"until": "2021-01-31"})
    assert officer.answer.status_code == 422
    assert "(SI, data-protection officer) looked at the log." in await officer.open("/log?kind=log_consulted")
    assert (await officer.client.get("/hits")).status_code == 403
