"""The terms of a round from a template, in the reader's language and as they were signed."""

import pytest

from aquila.protocol.encoding import canonical
from aquila.protocol.messages import Manifest
from aquila.protocol.messages.templates import RoundTemplate, Wording
from aquila.protocol.registration.templates import built_in, read_templates
from clients.web.app.site import environment_of
from tests.support.samples import SAMPLES

_TEXTS = ("area", "purpose", "legal_basis", "category")
_TEMPLATE = read_templates(built_in())[0]


def _signed() -> Manifest:
    texts = {name: getattr(_TEMPLATE, name) for name in _TEXTS}
    return Manifest.from_payload(canonical(SAMPLES[Manifest] | texts))


def _page(template: RoundTemplate) -> str:
    terms = environment_of("sq").get_template("manifest.html").module.terms  # type: ignore[attr-defined]  # the macro
    page: str = terms(_signed(), template, "sq")
    return page


@pytest.mark.parametrize("text", _TEXTS)
def test_what_was_signed_stands_beside_another_wording(text: str) -> None:
    """Also where a single text of the wording differs."""
    same = {name: getattr(_TEMPLATE, name) for name in _TEXTS}
    words = Wording(language="sq", title=_TEMPLATE.title, **same | {text: "krejt tjetër"})
    page = _page(_TEMPLATE.model_copy(update={"wordings": (words,)}))
    signed = page[page.index("<details>") :]
    assert all(getattr(_TEMPLATE, name) in signed for name in _TEXTS)
    assert "krejt tjetër" not in signed


def test_what_was_signed_stands_once_without_a_wording() -> None:
    assert "<details>" not in _page(_TEMPLATE.model_copy(update={"wordings": ()}))
