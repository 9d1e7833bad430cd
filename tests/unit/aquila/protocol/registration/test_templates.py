"""Templates of rounds: their file, their place in statements, and rounds that name one."""

from typing import Any

import pytest

from aquila.errors import InputError, MalformedError, PolicyError
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import Manifest, TableReference
from aquila.protocol.messages.templates import RoundTemplate
from aquila.protocol.registration.statements import (
    RegistryStatement,
    check_restated,
    next_statement,
    open_statement,
    sign_statement,
)
from aquila.protocol.registration.templates import check_template, read_templates, template_of
from aquila.records.indicators import load_indicators
from tests.support.registering import CA, MATCHER_KEY, NOW, URL, registry_of, stated
from tests.support.sample_templates import TEMPLATES_FILE
from tests.support.samples import SAMPLES

TEMPLATES = read_templates(TEMPLATES_FILE)
LANGUAGES = ("bg", "bs", "cnr", "de", "hr", "hu", "mk", "ro", "sl", "sq", "sr-Cyrl", "sr-Latn")
FIGHTERS = next(one for one in TEMPLATES if one.template_id == "foreign-fighters")


def manifest(template: RoundTemplate = FIGHTERS, **changes: Any) -> Manifest:
    """Return the manifest of a round from a template, with changes."""
    names = ("mode", "area", "legal_basis", "purpose", "category", "minimum_certainty")
    names += ("frequency_limit", "retention_days", "indicators")
    terms = {name: value for name, value in template.model_dump(mode="json").items() if name in names}
    rules = SAMPLES[Manifest]["rules"] | {"name": template.rules}
    named = {"template": template.reference.model_dump(mode="json"), "rules": rules}
    return Manifest.from_payload(canonical(SAMPLES[Manifest] | terms | named | changes))


def test_the_templates_of_the_program() -> None:
    """Three kinds of rounds, each in all languages of the pages."""
    assert [one.template_id for one in TEMPLATES] == ["border-queries", "foreign-fighters", "organised-crime"]
    assert {tuple(word.language for word in one.wordings) for one in TEMPLATES} == {LANGUAGES}
    table = load_indicators()
    assert {one.indicators for one in TEMPLATES} == {None, TableReference(name=table.name, digest=table.digest)}


def test_words_of_a_language() -> None:
    assert FIGHTERS.worded("sq").title == "Luftëtarë të huaj terroristë"
    assert FIGHTERS.worded("en") is FIGHTERS


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff", "templates_unreadable"),
        (b"[[template]", "templates_unreadable"),
        (b"[[template]]\nday = 2026-12-01", "templates_unreadable"),
        (b"", "templates_unusable"),
        (b"[[template]]\ntemplate_id = 'x'", "templates_unusable"),
        (TEMPLATES_FILE.replace(b'language = "sq"', b'language = "zz"'), "templates_unusable"),
        (
            TEMPLATES_FILE.replace(b"frequency_limit = 8", b'frequency_limit = 8\npairs = [["RS", "AL"]]'),
            "templates_unusable",
        ),
    ],
)
def test_a_file_that_cannot_be_used(content: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        read_templates(content)
    assert caught.value.sentence.code == code


@pytest.mark.parametrize("text", ["Organised crime", "Luftëtarë të huaj terroristë"])
def test_a_text_with_a_letter_that_nobody_sees(text: str) -> None:
    """In a term that is signed, and in a wording."""
    with pytest.raises(InputError) as caught:
        read_templates(TEMPLATES_FILE.replace(text.encode(), f"{text}\u202e".encode()))
    assert caught.value.sentence.code == "templates_unusable"
    assert "title" in str(caught.value.fields["fields"])


def test_templates_stay_until_others_are_stated() -> None:
    first = stated(registry_of("SI"))
    message = RegistryStatement.of_fields(next_statement(registry_of("SI"), first, NOW, URL, CA), templates=TEMPLATES)
    second = open_statement(sign_statement(message, MATCHER_KEY), MATCHER_KEY.public)
    assert stated(registry_of("RS", "SI"), second).message.templates == TEMPLATES
    assert (first.message.templates, b"templates" in first.message.payload()) == (None, False)


@pytest.mark.parametrize("templates", [TEMPLATES[::-1], (FIGHTERS, FIGHTERS), ()])
def test_templates_out_of_order_or_twice(templates: tuple[RoundTemplate, ...]) -> None:
    content = stated(registry_of("SI")).message.model_dump(mode="json")
    content["templates"] = [one.model_dump(mode="json") for one in templates]
    with pytest.raises(MalformedError):
        RegistryStatement.from_payload(canonical(content))


def test_a_round_that_has_the_terms_of_its_template() -> None:
    """Also of fewer pairs than the template has; a round that names none is like any other."""
    check_template(manifest(), TEMPLATES)
    assert template_of(manifest(), TEMPLATES) == FIGHTERS
    check_template(Manifest.from_payload(canonical(SAMPLES[Manifest])), ())
    paired = FIGHTERS.model_copy(update={"pairs": (("AL", "RS"), ("AL", "SI"), ("RS", "SI"))})
    check_template(manifest(paired), [paired])


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"purpose": "something else"}, "purpose"),
        ({"mode": "lists_and_queries", "retention_days": 7}, "mode, retention_days"),
        ({"rules": {"name": "exact", "digest": "d" * 64}}, "rules"),
        ({"indicators": {"name": "sample-1", "digest": "d" * 64}}, "indicators"),
    ],
)
def test_a_round_that_differs_from_its_template(changes: dict[str, Any], fields: str) -> None:
    with pytest.raises(PolicyError) as caught:
        check_template(manifest(**changes), TEMPLATES)
    assert caught.value.fields["fields"] == fields


def test_a_pair_that_the_template_lacks() -> None:
    paired = FIGHTERS.model_copy(update={"pairs": (("AL", "SI"),)})
    with pytest.raises(PolicyError) as caught:
        check_template(manifest(paired), [paired])
    assert caught.value.fields["fields"] == "pairs"


@pytest.mark.parametrize("changes", [{"version": 2}, {"title": "Others"}, {"template_id": "others"}])
def test_a_template_that_the_registry_does_not_have(changes: dict[str, Any]) -> None:
    """Another version, or another content under the same version."""
    with pytest.raises(PolicyError) as caught:
        check_template(manifest(FIGHTERS.model_copy(update=changes)), TEMPLATES)
    assert caught.value.sentence.code == "round_template_unknown"


def test_a_version_keeps_its_content() -> None:
    """What changes gets a new version; the version before may go, or stay beside it."""
    first, renamed = stated(registry_of("SI")).message, FIGHTERS.model_copy(update={"title": "Others"})
    before = RegistryStatement.of_fields(first, templates=(FIGHTERS,))
    for templates in (None, (FIGHTERS,), (FIGHTERS, renamed.model_copy(update={"version": 2}))):
        check_restated(before, RegistryStatement.of_fields(first, templates=templates))
    check_restated(first, before)
    with pytest.raises(PolicyError) as caught:
        check_restated(before, RegistryStatement.of_fields(first, templates=(renamed,)))
    assert caught.value.sentence.code == "template_restated"
