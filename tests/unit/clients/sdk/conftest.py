"""A connection that answers from a list, and remembers what was asked."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from clients.sdk import Access, Connection


@dataclass
class Answers:
    waiting: list[httpx.Response | Exception] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        answer = self.waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def says(self, status: int = 200, **options: Any) -> None:
        self.waiting.append(httpx.Response(status, **options))


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def connection(answers: Answers) -> Connection:
    return Connection(Access("node", "http://127.0.0.1:8700", "t" * 43), httpx.MockTransport(answers))
