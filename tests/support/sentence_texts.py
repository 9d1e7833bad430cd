"""Sentences of an interface's answers, in English."""

import re
from collections.abc import Iterable, Mapping
from typing import Any


def texts(sentences: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the English of sentences as an interface shows them."""
    return [sentence["text"] for sentence in sentences]


def words_in(text: str, *words: str) -> list[str]:
    """Return those words that stand in a text, but not within longer ones, such as random numbers."""
    return [word for word in words if re.search(rf"\b{re.escape(word)}\b", text)]
