"""What protects the pages: policy, cookies, forms that only our own pages can send, and addresses that stay here."""

from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from aquila.audit.roles import Service
from clients.sdk import Access, Connection
from clients.web.app.site import Site
from clients.web.application import pages_of

ORIGIN = "http://127.0.0.1:8701"
PASSWORD = "four words are long enough"
SAME = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}


async def test_headers(node: Any) -> None:
    """Every page forbids foreign content, framing and caching, and says nothing of itself to other sites."""
    browser = node.browser()
    for path in ("/sign-in", "/no-such-page", "/static/0/aquila.css"):
        headers = (await browser.client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
    assert (await browser.client.get("/sign-in")).headers["cache-control"] == "no-store"


async def test_cookies(node: Any) -> None:
    """Cookies are for this host and for no script, are not sent by other sites' pages, and change at sign-in."""
    person, browser = await node.enrol("ana", "officer"), node.browser()
    early = (await browser.client.get("/sign-in")).headers["set-cookie"]
    assert "HttpOnly" in early
    assert "SameSite=Strict" in early
    await browser.open("/sign-in")
    await browser.send("/sign-in", follow=False, login="ana", password=PASSWORD, code=person.code(), next="/")
    first = browser.answer.headers["set-cookie"]
    assert first.startswith("aquila-session-8701=")
    assert {"httponly", "path=/", "samesite=strict"} <= {part.strip().lower() for part in first.split(";")}
    # A second sign-in in the same browser gives another session, and the first one opens nothing any more.
    old = browser.client.cookies["aquila-session-8701"]
    await browser.open("/")
    await browser.send("/sign-in", login="ana", password=PASSWORD, code=person.code(), next="/")
    assert browser.client.cookies["aquila-session-8701"] != old
    thief = node.browser()
    thief.client.cookies.set("aquila-session-8701", old, "127.0.0.1")
    assert (await thief.client.get("/")).headers["location"] == "/sign-in"


async def test_foreign_cookies(node: Any) -> None:
    """Whatever another service on the host sets, pages come, and with their policy."""
    for cookie in ("x@y=1", '"', "a=b; =; ;;x[]={}", "\xe4=\xf6"):
        answer = await node.browser().client.get("/sign-in", headers={"cookie": cookie.encode("latin-1")})
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"]
        assert answer.headers["set-cookie"].startswith("aquila-form-8701=")


async def test_fixation(node: Any) -> None:
    person, browser = await node.enrol("ana", "officer"), node.browser()
    browser.client.cookies.set("aquila-session-8701", "planted" * 8, "127.0.0.1", "/")
    await browser.open("/sign-in")
    await browser.send("/sign-in", login="ana", password=PASSWORD, code=person.code(), next="/")
    assert not browser.client.cookies["aquila-session-8701"].startswith("planted")


async def test_foreign_form(node: Any) -> None:
    """A form that another site sent is refused, even with the right token."""
    browser = await node.visitor("ana", "officer")
    token = browser.page.split('name="form_token" value="')[1][:64]
    for headers in (
        {"origin": "http://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": "http://127.0.0.1:8700"},
        {"sec-fetch-site": "same-site"},
        {},
    ):
        answer = await browser.client.post("/language", data={"form_token": token, "tag": "sq"}, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_form_without_token(node: Any) -> None:
    browser = await node.visitor("ana", "officer")
    for token in ("", "0" * 64):
        answer = await browser.client.post("/sign-out", data={"form_token": token}, headers=SAME)
        assert answer.status_code == 403
        assert "ana" in await browser.open("/")


async def test_token_of_another_session(node: Any) -> None:
    ana, eva = await node.visitor("ana", "officer"), await node.visitor("eva", "officer")
    token = ana.page.split('name="form_token" value="')[1][:64]
    answer = await eva.client.post("/sign-out", data={"form_token": token}, headers=SAME)
    assert answer.status_code == 403


async def test_every_form_is_checked(node: Any, matcher: Any) -> None:
    """No page takes a form without its token: every POST of both sites is refused, whoever sends it."""
    for place, role in ((node, "officer"), (matcher, "secretariat")):
        pages = place.app._pages
        paths = [route.path for route in iter_route_contexts(pages.routes) if "POST" in route.methods]
        assert len(paths) > 10
        visitor = await place.visitor("ana", role)
        for path in paths:
            answer = await place.browser().client.post(path, headers=SAME)
            assert answer.status_code == 403 or answer.headers["location"] == "/sign-in", path
            # A list comes as a form with a file, which no other page takes.
            sent = {"files": {"file": ("list.csv", b"record_id")}} if path == "/records/preview" else {}
            answer = await visitor.client.post(path, headers=SAME, **sent)
            assert answer.status_code == 403, path


async def test_open_redirect(node: Any) -> None:
    """Whoever signs in is sent on to a page of this site and nowhere else."""
    person = await node.enrol("ana", "officer")
    evil = ("//evil.example", "https://evil.example", "/\\evil.example", "/%2fevil.example")
    for wanted in (*evil, "/rounds?x=1", "x", ""):
        browser = node.browser()
        await browser.open("/sign-in")
        await browser.send("/sign-in", follow=False, login="ana", password=PASSWORD, code=person.code(), next=wanted)
        assert (browser.answer.status_code, browser.answer.headers["location"]) == (303, "/")


async def test_stranger(node: Any, matcher: Any) -> None:
    """Without a session every page but the way in leads to the sign-in, and tells nothing."""
    open_to_all = {"/sign-in", "/sign-in/provider", "/enrol", "/set-up", "/static/{version}/{name}"}
    for place in (node, matcher):
        routes = [route for route in iter_route_contexts(place.app._pages.routes) if "GET" in route.methods]
        assert len(routes) > 8
        for route in routes:
            if route.path in open_to_all or route.path.endswith("/live"):
                continue
            answer = await place.browser().client.get(route.path.replace("{", "").replace("}", ""))
            assert answer.status_code == 303, route.path
            assert answer.headers["location"].startswith("/sign-in")


async def test_wrong_sign_in(node: Any) -> None:
    person, browser = await node.enrol("ana", "officer"), node.browser()
    await browser.open("/sign-in")
    pages = []
    for login in ("ana", "eva"):
        await browser.send("/sign-in", login=login, password="wrong and secret", code=person.code(), next="/")
        assert browser.answer.status_code == 401
        assert "wrong and secret" not in browser.page
        pages.append(browser.page.replace(f'value="{login}"', ""))
    assert pages[0] == pages[1]


async def test_logs_hold_no_form(node: Any, capfd: pytest.CaptureFixture[str]) -> None:
    browser = await node.visitor("ana", "officer")
    await browser.open("/records")
    await browser.send("/records/preview", name="x", files={"file": ("l.csv", b"record_id\nJaneznovak\n")})
    said = capfd.readouterr()
    assert "Janeznovak" not in said.err + said.out


async def test_tls_cookies() -> None:
    """Over TLS the cookie is bound to the host by its name and leaves over TLS alone."""
    site = Site(Service.NODE, "SI", Connection(Access("node", "http://127.0.0.1:1", "")), secure=True)
    transport = httpx.ASGITransport(app=pages_of(site))
    async with httpx.AsyncClient(transport=transport, base_url="https://node.test") as client:
        answer = await client.get("/sign-in")
    site.connection.close()
    assert answer.headers["set-cookie"].startswith("__Host-aquila-form=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]
