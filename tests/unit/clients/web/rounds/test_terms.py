"""The terms of a round from a template, in the reader's language and as they were signed."""

import pytest
from markupsafe import escape

from aquila.protocol.encoding import canonical
from aquila.protocol.messages import Manifest
from aquila.protocol.messages.templates import RoundTemplate, TemplateDays, Wording
from aquila.protocol.registration.templates import read_templates
from clients.web.app.site import environment_of
from tests.support.sample_templates import TEMPLATES_FILE
from tests.support.samples import SAMPLES

_TEXTS = ("area", "purpose", "legal_basis", "category")
_TEMPLATE = read_templates(TEMPLATES_FILE)[0]


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


@pytest.mark.parametrize("content", [False, True])
def test_all_that_is_accepted_with_a_template(content: bool) -> None:
    """Of a registry and of a request's content: each term, what fills caps and deadlines in, and each wording."""
    values = {"frequency_limit": 711, "retention_days": 722, "records": 733, "queries": 744, "pairs": (("AL", "RS"),)}
    days = TemplateDays(consent=51, submit=52, evaluate=53, close=54, hour=15)
    template = _TEMPLATE.model_copy(update=values | {"days": days})
    macro = environment_of("en").get_template("manifest.html").module.template  # type: ignore[attr-defined]  # the macro
    page = macro(template.model_dump(mode="json") if content else template)
    texts = [getattr(one, name) for one in (template, *template.wordings) for name in ("title", *_TEXTS)]
    for text in (*texts, template.rules, "AL - RS", "711", "722", "733", "744", "51, 52, 53, 54 (15:00)", "Shqip"):
        assert str(escape(text)) in page
    for mode, words in (("lists", "Whole lists only"), ("lists_and_queries", "single queries against them")):
        assert words in macro(template.model_dump(mode="json") | {"mode": mode})
    assert "all that a round names" in macro(_TEMPLATE)
