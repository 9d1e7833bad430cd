"""Figures of pages and papers: a drawing, the table behind it, and what a reader has to know of both."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, its table, and what a reader has to know of both."""

    title: str
    svg: str
    """Empty where there is only a table."""
    columns: list[str]
    rows: list[list[str]]
    note: str = ""
    rounds: Sequence[str] = ()
    """Where each row is about a round: their ids."""
