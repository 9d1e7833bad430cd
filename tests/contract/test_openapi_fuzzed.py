"""Every operation, called by every role with what its own document allows and with other things, answers as documented.

The calls go to a matcher and a node in this process, after a round whose hits are there. Examples are the same in
every run.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from aquila.audit.roles import Role, Service, role_table
from services.kit.http.signatures import CallSigner
from services.kit.people.context import People
from tests import generate
from tests.support.clock import Clock
from tests.support.node_world import MATCHER_URL, World, make_world
from tests.support.people import signed_in

pytestmark = pytest.mark.e2e

NOBODY, PARTY = "nobody", "party"
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
TRIED_LAST = ("delete", "reset", "deactivate", "roles", "sign-out", "abort", "close", "erasures")
ASKER = "AL"
_REFUSED_BY_HEAD = {401, 403}


@dataclass
class Fuzz:
    """A world whose services are called by everyone."""

    world: World
    loop: asyncio.Runner
    examples: int
    known: Mapping[str, list[str]] = field(default_factory=dict)
    calls: int = 0

    def call_all(self, service: str, caller: str) -> None:
        """Call every operation of a service; whoever may not is refused by the head of a call, whatever its body is."""
        for operation in _operations(service):
            login = f"{caller}-{self.calls}"  # a session of its own: a call may end it, or the account
            if self._call(service, caller, login, operation, GenerationMode.POSITIVE) <= _REFUSED_BY_HEAD:
                continue
            with contextlib.suppress(Unsatisfiable):  # of some operations nothing can be wrong: they take nothing
                self._call(service, caller, login, operation, GenerationMode.NEGATIVE)

    def _call(self, service: str, caller: str, login: str, operation: Any, mode: GenerationMode) -> set[int]:
        """Make the calls of an operation, and return the statuses of the answers."""
        phases, statuses = (Phase.explicit, Phase.generate), set[int]()

        @given(case=operation.as_strategy(generation_mode=mode), pick=st.randoms(use_true_random=False))
        @settings(
            max_examples=self.examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=phases,
            suppress_health_check=list(HealthCheck),
        )
        def called(case: Case, pick: Any) -> None:
            for name in set(case.path_parameters or ()) & set(self.known):
                if pick.random() < 0.5:
                    case.path_parameters[name] = pick.choice(self.known[name])
            self.calls += 1
            answer = self.loop.run(self._answer(service, caller, login, case))
            statuses.add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        called()
        return statuses

    async def _answer(self, service: str, caller: str, login: str, case: Case) -> httpx.Response:
        party_node = self.world.nodes[ASKER]
        app, people = (party_node.app, party_node.node.people) if service == "node" else _matcher(self.world)
        base = "http://node.test" if service == "node" else MATCHER_URL
        made = requests.Request(**case.as_transport_kwargs(base_url=base)).prepare()
        headers = {name: value for name, value in made.headers.items() if name.lower() != "content-length"}
        auth: httpx.Auth | None = None
        if caller == PARTY:
            auth = CallSigner(party_node.node.party.identity, ASKER, self.world.clock)
        elif caller != NOBODY:
            headers["authorization"] = f"Bearer {signed_in(people, login, Role(caller))}"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), auth=auth) as client:
            return await client.request(str(made.method), str(made.url), headers=headers, content=made.body)


def _matcher(world: World) -> tuple[Any, People]:
    return world.app, world.app.state.context.people


def _operations(service: str) -> Iterator[Any]:
    """Yield the operations of a service, those that end something last."""
    schema = schemathesis.openapi.from_dict(generate.generated()[f"openapi/{service}.json"])
    found = [result.ok() for result in schema.get_all_operations()]
    yield from sorted(found, key=lambda one: any(word in f"{one.method} {one.path}".lower() for word in TRIED_LAST))


async def _known(world: World, round_id: str) -> dict[str, list[str]]:
    party_node = world.nodes[ASKER]
    hits = (await party_node.get(f"/rounds/{round_id}/hits"))["hits"]
    view = await party_node.round(round_id)
    return {
        "round_id": [round_id],
        "hit_id": [hit["hit_id"] for hit in hits],
        "submission_id": [one["submission_id"] for one in view["submissions"]],
        "import_id": [one["import_id"] for one in view["submissions"]],
        "party": ["AL", "RS"],
        "position": ["0"],
        "index": ["0"],
    }


@pytest.mark.parametrize("examples", [1, pytest.param(8, marks=pytest.mark.soak)])
def test_no_answer_is_undocumented(tmp_path: Path, examples: int) -> None:
    """Whoever calls, and whatever is sent."""
    with asyncio.Runner() as loop:
        world = make_world(tmp_path, Clock())
        round_id = loop.run(world.begin(mode="lists_and_queries"))
        loop.run(world.settle())
        fuzz = Fuzz(world, loop, examples, loop.run(_known(world, round_id)))
        for service in Service:
            roles = [role.value for role in role_table().roles_of(service)]
            for caller in (NOBODY, *roles, *([PARTY] if service is Service.MATCHER else [])):
                fuzz.call_all(service.value, caller)
        assert fuzz.calls > 1_000
        loop.run(world.close())
