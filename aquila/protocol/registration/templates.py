"""Templates of rounds in the registry: their file, and rounds that name one (PROTOCOL.md 11.10)."""

import json
import tomllib
from collections.abc import Iterable

from pydantic import ValidationError

from aquila.audit.entries import fields_at_fault
from aquila.errors import InputError, PolicyError
from aquila.protocol.messages import Manifest
from aquila.protocol.messages.base import Message
from aquila.protocol.messages.templates import RoundTemplate
from aquila.visible import first_unseen

_TERMS = (
    "mode",
    "area",
    "legal_basis",
    "purpose",
    "category",
    "minimum_certainty",
    "frequency_limit",
    "retention_days",
    "indicators",
)


class _TemplateFile(Message):
    template: tuple[RoundTemplate, ...]


def read_templates(content: bytes) -> tuple[RoundTemplate, ...]:
    """Read a file of templates, in TOML: `[[template]]` with the fields of `RoundTemplate`.

    Raises:
        InputError: It cannot be read, a field is missing or unusable, or a text has a letter that nobody sees.
    """
    try:
        document = json.dumps(tomllib.loads(content.decode()))
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError("templates_unreadable", fault=type(error).__name__) from None
    try:
        found = _TemplateFile.model_validate_json(document).template
    except ValidationError as error:
        raise InputError("templates_unusable", fields=fields_at_fault(error)) from None
    texts = [(name, value) for one in found for text in (one, *one.wordings) for name, value in text]
    if unseen := sorted({name for name, value in texts if isinstance(value, str) and first_unseen(value)}):
        raise InputError("templates_unusable", fields=", ".join(unseen))
    return tuple(sorted(found, key=place_of))


def place_of(template: RoundTemplate) -> tuple[str, int]:
    """Return by what templates are ordered, and told apart: id and version."""
    return template.template_id, template.version


def template_of(manifest: Manifest, templates: Iterable[RoundTemplate]) -> RoundTemplate | None:
    """Return the one of these that a round names by id, version and digest, or None."""
    return next((one for one in templates if one.reference == manifest.template), None)


def check_template(manifest: Manifest, templates: Iterable[RoundTemplate]) -> None:
    """Refuse a round that names a template which is not in the registry in force, or whose terms it does not have.

    1. The registry has a template of this id and version, with this digest.
    2. The terms of the round are those of the template.
    3. The round has no pair that the template lacks.

    Raises:
        PolicyError: 1, 2 or 3 does not hold.
    """
    named = manifest.template
    if named is None:
        return
    # 1.
    template = template_of(manifest, templates)
    if template is None:
        raise PolicyError("round_template_unknown", template=named.template_id, version=named.version)
    # 2.
    other = [name for name in _TERMS if getattr(manifest, name) != getattr(template, name)]
    other += ["rules"] if manifest.rules.name != template.rules else []
    # 3.
    other += ["pairs"] if template.pairs is not None and not set(manifest.pairs) <= set(template.pairs) else []
    if other:
        raise PolicyError("round_differs_from_template", template=named.template_id, fields=", ".join(other))
