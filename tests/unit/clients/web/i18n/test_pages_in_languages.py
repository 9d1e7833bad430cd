"""The pages of a node and of a matcher after a round, in every language: each text is of that language."""

import re
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import pytest
from babel.messages.pofile import read_po

from aquila.audit.roles import Role, Service
from clients.web.i18n import catalogues
from clients.web.i18n.languages import languages
from clients.web.wiring import front_of
from tests.support.node_steps import round_with_hits
from tests.support.played_worlds import WorldAfter
from tests.support.web_world import Browser, endpoint, visitor_of

pytestmark = pytest.mark.more_rounds  # some forty pages in twelve languages

SHORT = 2
"""A text of so many words may be a name, or the same in two languages."""


class Texts(HTMLParser):
    """The texts of a page in its language: those within an element that names another one are left out."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self.tag, self.found, self.links = tag, set[str](), set[str]()
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and (given.get("href") or "").startswith("/") and "download" not in given:
            self.links.add(str(given["href"]).partition("#")[0])
        if tag not in {"br", "input", "meta", "link", "hr", "img", "wbr", "col"}:
            is_other = given.get("lang", self.tag) != self.tag or tag in {"script", "style"}
            self._open.append((tag, is_other))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if len(text.split()) > SHORT and not any(is_other for _, is_other in self._open):
            self.found.add(text)


def read(page: str, tag: str) -> Texts:
    texts = Texts(tag)
    texts.feed(page)
    return texts


def messages(tag: str) -> set[str]:
    """Return a language's texts that have no places."""
    if tag == "en":
        found = {str(one.id) for one in read_po(BytesIO((catalogues.FOLDER / "sq.po").read_bytes())) if not one.context}
    else:
        found = {str(one.string) for one in read_po(BytesIO((catalogues.FOLDER / f"{tag}.po").read_bytes()))}
    return {" ".join(text.split()) for text in found if not re.search(r"[%{]", text)}


async def crawled(visitors: list[Browser]) -> dict[str, tuple[Browser, str]]:
    """Return the pages that visitors find by links from the first one; of those that differ in digits alone one."""
    found: dict[str, tuple[Browser, str]] = {}
    for visitor in visitors:
        waiting = ["/"]
        for path in waiting:
            kind = re.sub(r"[0-9a-f]{32}|\d+", "*", path.partition("?")[0])
            if kind in found and path != "/":
                continue
            found[kind] = visitor, path
            page = await visitor.open(path)
            if "text/html" in visitor.answer.headers.get("content-type", ""):
                waiting += sorted(read(page, "en").links - {*waiting})
    return found


async def test_no_page_has_another_language_s_texts(world_after: WorldAfter) -> None:
    world, _ = await world_after(round_with_hits)
    party_node = world.nodes["AL"]
    app: Any = front_of(Service.NODE, "Albania")(party_node.app, endpoint())
    roles = (Role.OFFICER, Role.APPROVER, Role.ANALYST, Role.AUDITOR, Role.DATA_PROTECTION_OFFICER, Role.ADMINISTRATOR)
    visitors = [visitor_of(app, party_node, role) for role in roles]
    pages = list((await crawled(visitors)).values())
    assert len(pages) > 30
    texts = {tag: messages(tag) for tag in languages()}
    wrong = []
    for tag, own in texts.items():
        others = set[str]().union(*(texts[other] for other in texts if other != tag)) - own
        read_in_own = set[str]()
        for visitor, path in pages:
            visitor.client.cookies.set("aquila-language", tag)
            found = read(await visitor.open(path), tag).found
            wrong += [(tag, path, text) for text in sorted(found & others)]
            read_in_own |= found & own
        assert len(read_in_own) > 40, tag
    for visitor in visitors:
        await visitor.client.aclose()
    app.end()
    assert wrong == []
