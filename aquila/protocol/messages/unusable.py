"""Plain words for what pydantic finds wrong with the input of a person: field by field, and never with the value."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from aquila.sentences import Sentence, text_of

_MOST_FAULTS = 8
FORMS = {
    r"^[a-z][a-z0-9._-]{1,63}$": "input_login",
    r"^[A-Z]{2}$": "input_party_code",
    r"^[0-9]{6}$": "input_code",
    r"^[0-9a-f]{16}$": "input_id",
    r"^[0-9a-f]{32}$": "input_id",
    r"^[0-9a-f]{4,32}$": "input_hit",
    r"^[0-9a-f]{64}$": "input_digest",
    r"^p-[0-9a-f]{12}$": "input_person",
    r"^[^\x00-\x1f\x7f]+$": "input_control_characters",
    r"^[^\x00-\x1f\x7f]*$": "input_control_characters",
    r"^[^\s\x00-\x20\x7f]+$": "input_address",
    r"^[!-~]+$": "input_address",
    r"^[^\s@\x00-\x20\x7f]+@[^\s@\x00-\x20\x7f]+$": "input_mail_address",
    r"^[a-z]{2,3}(-[A-Za-z]{2,8})?$": "input_language",
    r"^[a-z][a-z0-9-]{1,38}$": "input_template_id",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$": "input_day",
    r"^[A-Z]([1-9][0-9]?)?$": "input_unknown",
    r"^[^\x00-\x1f\x7f]*[0-9][^\x00-\x1f\x7f]*$": "input_of_other_form",
    r"^-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n -]+$": "input_certificate",
}
"""What a text of a request has to look like, by the pattern of its field."""
_LIMITS = {
    "string_too_short": ("input_too_short", "min_length"),
    "string_too_long": ("input_too_long", "max_length"),
    "too_short": ("input_too_few", "min_length"),
    "too_long": ("input_too_many", "max_length"),
    "greater_than_equal": ("input_too_small", "ge"),
    "less_than_equal": ("input_too_large", "le"),
    "literal_error": ("input_no_choice", "expected"),
    "enum": ("input_no_choice", "expected"),
}
"""By pydantic's name of a fault: the sentence, and the name under which pydantic gives the limit."""


def listed(error: ValidationError) -> str:
    """Return the first faults that pydantic found, each with its field and with what the field takes."""
    found = error.errors(include_input=False, include_url=False)
    faults = [f"{'.'.join(map(str, one['loc'])) or 'the whole'}: {in_words(one)}" for one in found[:_MOST_FAULTS]]
    return "; ".join(faults + ([f"{len(found) - _MOST_FAULTS} more"] if len(found) > _MOST_FAULTS else []))


def in_words(fault: Mapping[str, Any]) -> str:
    """Return a fault as a clause about what its field takes."""
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing":
        return text_of(Sentence.of("input_missing"))
    if kind == "extra_forbidden":
        return text_of(Sentence.of("input_unknown"))
    if kind in _LIMITS:
        code, limit = _LIMITS[kind]
        return text_of(Sentence(code, {"limit": str(context[limit])}))
    if kind == "string_pattern_mismatch":
        return text_of(Sentence.of(FORMS.get(context["pattern"], "input_of_other_form")))
    return text_of(Sentence.of("input_of_other_kind", kind=kind.removesuffix("_parsing").removesuffix("_type")))
