"""Sentences of an interface's answers, in English."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_RANDOM = re.compile(r"[0-9a-f]{32,}|[A-Z]{2}(-[0-9A-F]{4}){3}")


def texts(sentences: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the English of sentences as an interface shows them."""
    return [sentence["text"] for sentence in sentences]


def without_random(text: str) -> str:
    """Return a text without its identifiers, digests and references of hits, in which a year may stand by chance."""
    return _RANDOM.sub("", text)
