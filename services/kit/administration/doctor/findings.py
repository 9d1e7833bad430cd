"""Findings of the doctor: a subject, a grade, and a sentence with its hint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from aquila.errors import AquilaError
from aquila.interface.service.health import Grade
from aquila.sentences import Sentence, hint_of, text_of
from services.kit.serving.health.checks import explained


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        subject: What was looked at: `home`, `certificates`, `database`, ...
        grade: How bad it is.
        sentence: What was found.
    """

    subject: str
    grade: Grade
    sentence: Sentence

    @property
    def text(self) -> str:
        """The finding in English."""
        return text_of(self.sentence)

    @property
    def hint(self) -> str:
        """The remedy of a fault in English; nothing without a fault."""
        return "" if self.grade is Grade.OK else hint_of(explained(self.sentence))


Findings: TypeAlias = "Iterator[Finding]"


def fine(subject: str, code: str, **fields: str | int) -> Finding:
    """Return the finding that something is as it should be."""
    return Finding(subject, Grade.OK, Sentence.of(code, **fields))


def warning(subject: str, code: str, **fields: str | int) -> Finding:
    """Return a finding that needs a person some day."""
    return Finding(subject, Grade.WARNING, Sentence.of(code, **fields))


def critical(subject: str, code: str, **fields: str | int) -> Finding:
    """Return a finding with which the service cannot work."""
    return Finding(subject, Grade.CRITICAL, Sentence.of(code, **fields))


def examined(subject: str, check: Callable[[], Findings]) -> list[Finding]:
    """Return the findings of a check; an error of the tree or of the system that it raises is its last one."""
    found: list[Finding] = []
    try:
        found.extend(check())
    except AquilaError as error:
        found.append(Finding(subject, Grade.CRITICAL, error.sentence))
    except OSError as error:
        said = error.strerror or type(error).__name__
        found.append(critical(subject, "doctor_file_unusable", file=str(error.filename), fault=said))
    return found
