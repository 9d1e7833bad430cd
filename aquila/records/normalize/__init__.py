"""Names, dates and identifiers in one form, so that two parties spell the same value alike.

The normalizer is versioned, and a digest over its answers to a conformance set goes into every round's manifest: two
parties match only if they normalize alike (PROTOCOL.md, records and match rules).
"""

from __future__ import annotations

from aquila.records.normalize.countries import country
from aquila.records.normalize.identifiers import (
    document_number,
    email,
    national_number,
    national_schemes,
    phone,
    phone_tail,
)
from aquila.records.normalize.latin import to_latin
from aquila.records.normalize.letter_tables import NORMALIZER_VERSION
from aquila.records.normalize.names import FORMS, fold, name_words, skeleton, sound

__all__ = [
    "FORMS",
    "NORMALIZER_VERSION",
    "country",
    "document_number",
    "email",
    "fold",
    "name_words",
    "national_number",
    "national_schemes",
    "phone",
    "phone_tail",
    "skeleton",
    "sound",
    "to_latin",
]
