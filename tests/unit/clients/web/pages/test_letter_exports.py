"""A letter is made before its export is logged, and what was made is what is logged."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from aquila.errors import OrderError
from aquila.interface.hits import BundledLetter, HitKey, Letters
from clients.web.i18n.languages import languages
from clients.web.pages.hits import requests
from tests.support.letter_example import LETTER

HANDLERS = [requests.post_requests, requests.post_pdf, requests.post_json]
PLACE = "a" * 32
KEY = HitKey(round_id=PLACE, hit_id=PLACE)


def letters(reference: str = "") -> Letters:
    letter = replace(LETTER, reference=reference).view()
    return Letters(letters=(BundledLetter(hits=(KEY,), letter=letter),), left_out=0)


DRAFT = letters()


@dataclass
class Service:
    """The node's calls about a letter, in their order.

    Attributes:
        draft: What a draft is; None where no paper can be made of it.
    """

    draft: Letters | None
    exported: Letters = DRAFT
    calls: list[str] = field(default_factory=list)

    def letters(self, *, hits: tuple[HitKey, ...], export: bool = False) -> Letters | None:
        """Return the draft, which is logged as no export; or log the export, and return what is exported."""
        assert hits == (KEY,)
        self.calls.append("export" if export else "draft")
        return self.exported if export else self.draft


def ask(handler: Callable[..., Any], service: Service) -> object:
    """Ask for a letter as the page does; the page shows no more than that it was made."""
    visit = SimpleNamespace(
        hits=lambda: service, language=languages()["en"], show=lambda *_, **__: "the page", give=lambda *_: "the file"
    )
    sent = SimpleNamespace(texts=lambda _: (f"{PLACE}.{PLACE}",), text=lambda _: "")
    return handler(visit=visit, sent=sent)


@pytest.mark.parametrize("handler", HANDLERS)
def test_it_is_logged_when_it_is_made(handler: Callable[..., Any]) -> None:
    """Once, behind the draft of which it was made."""
    service = Service(DRAFT)
    assert ask(handler, service)
    assert service.calls == ["draft", "export"]


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_letter_that_cannot_be_made_is_not_logged(handler: Callable[..., Any]) -> None:
    """The log says of no export that did not happen."""
    service = Service(None)
    with pytest.raises(AttributeError):
        ask(handler, service)
    assert service.calls == ["draft"]


@pytest.mark.parametrize("handler", HANDLERS)
def test_another_letter_than_the_logged_one_is_not_given(handler: Callable[..., Any]) -> None:
    """Its references may have changed between the draft and the export."""
    service = Service(DRAFT, letters("other"))
    with pytest.raises(OrderError) as caught:
        ask(handler, service)
    assert caught.value.sentence.code == "letter_changed_meanwhile"


def test_nothing_is_exported_without_a_letter() -> None:
    """Of a hit without a follow-up, or whose handling code blocks it, the page says so, and no file is made."""
    service = Service(Letters(letters=(), left_out=1))
    assert ask(requests.post_requests, service)
    with pytest.raises(OrderError):
        ask(requests.post_pdf, service)
    assert service.calls == ["draft", "draft"]
