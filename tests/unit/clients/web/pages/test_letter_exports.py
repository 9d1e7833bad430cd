"""A letter is made before its export is logged, and what was made is what is logged."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from aquila.errors import OrderError
from aquila.interface.hits import LetterView
from clients.web.i18n.languages import languages
from clients.web.pages.hits import hit
from tests.support.letter_example import LETTER

DRAFT = LETTER.view()
HANDLERS = [hit.post_letter, hit.post_letter_pdf, hit.post_letter_json]
PLACE = "a" * 32


@dataclass
class Service:
    """The node's calls about a letter, in their order.

    Attributes:
        draft: What a draft is; None where no paper can be made of it.
    """

    draft: LetterView | None
    exported: LetterView = DRAFT
    calls: list[str] = field(default_factory=list)

    def letter_draft(self, *_: str) -> LetterView | None:
        """Return the draft, which is logged nowhere."""
        self.calls.append("draft")
        return self.draft

    def letter(self, *_: str) -> LetterView:
        """Log the export, and return the letter."""
        self.calls.append("export")
        return self.exported


def ask(handler: Callable[..., Any], service: Service) -> object:
    """Ask for a letter as the page does; the page shows no more than that it was made."""
    visit = SimpleNamespace(hits=lambda: service, language=languages()["en"], show=lambda *_, **__: "the page")
    return handler(visit=visit, _sent=None, round_id=PLACE, hit_id=PLACE)


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
    service = Service(DRAFT, replace(LETTER, reference="other").view())
    with pytest.raises(OrderError) as caught:
        ask(handler, service)
    assert caught.value.sentence.code == "letter_changed_meanwhile"
