"""The health of a node and of the matcher in a whole small world."""

import re
import shutil
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import delete

from aquila.audit.roles import Role
from aquila.errors import AquilaError, LogRewrittenError, OrderError
from aquila.interface.log import LogView
from aquila.interface.service.health import Grade, Outage, ServiceHealth, Subject
from aquila.sentences import quoted
from services.kit.errors import NotReadyError, PeerUnavailableError
from services.kit.http.certificates import CertificateEnds, CertificateFile
from services.kit.http.peer import Peer
from services.kit.http.signatures import CallSigner
from services.kit.log.entries import EDGE, ENTRIES, NODES
from services.kit.serving.health.metrics import HealthMetrics
from services.kit.serving.health.report import HealthReport
from services.kit.storage.files import ChunkFiles
from services.matcher.administration import health as matcher_health
from services.matcher.steps.schedule import steps_of
from services.node.context import NodeContext
from services.node.rounds import health as node_health
from services.node.rounds import work
from services.node.steps import advance
from services.node.storage.states import Step
from tests.support.authority import Authority
from tests.support.metrics import metric
from tests.support.node_steps import closed_round, round_with_hits, round_without_lists
from tests.support.node_world import HEADER, LISTS, World
from tests.support.played_worlds import WorldAfter
from tests.support.registering import key_of

pytestmark = pytest.mark.parties("AL", "RS")

HOUR = 3_600


class NotTaking(httpx.AsyncBaseTransport):
    def __init__(self, honest: httpx.AsyncBaseTransport) -> None:
        self.honest = honest

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a call on, or fail as one without an answer does."""
        if re.search("/(statements|consignments?|submissions)", request.url.path) and request.method != "GET":
            raise httpx.ConnectError("away", request=request)
        return await self.honest.handle_async_request(request)


def health_of(app: FastAPI) -> ServiceHealth:
    found = HealthReport(app.state.health._parts).health()
    assert all(fault.hint for one in found.checks for fault in one.sentences)
    return found


def grade_of(found: ServiceHealth, subject: Subject) -> Grade:
    return next(one.grade for one in found.checks if one.subject is subject)


def awaited_in(found: ServiceHealth) -> set[tuple[str, str]]:
    return {(step.party, step.step.value) for one in found.rounds for step in one.awaited}


async def test_a_round_from_both_sides(world: World) -> None:
    node, matcher = world.nodes["AL"], world.app
    round_id = await world.propose()
    everyone = {(code, "consent") for code in world.nodes}
    await world.settle()
    assert awaited_in(health_of(node.app)) == awaited_in(health_of(matcher)) == everyone
    for party_node in world.nodes.values():
        await party_node.post(f"/rounds/{round_id}/consent")
    await world.settle()
    lists = {(code, "list") for code in world.nodes}
    assert awaited_in(health_of(node.app)) == awaited_in(health_of(matcher)) == lists
    found = health_of(matcher)
    assert found.grade is Grade.OK
    assert {contact.party for contact in found.contacts} == set(world.nodes)
    assert found.log_size > 0
    world.clock.time += 3 * HOUR
    late = health_of(matcher)
    assert grade_of(late, Subject.ROUNDS) is Grade.WARNING  # nobody has called for hours
    assert not any(one.stuck for one in late.rounds)  # persons have their days


async def test_status_and_audit_status_count_the_same_entries(world: World) -> None:
    """Entries that no checkpoint covers yet are counted apart from those of the head, and both make the sum."""
    node = world.nodes["AL"]
    await world.begin(lists=False)
    await world.settle()
    await node.load(HEADER + LISTS["AL"])
    log = LogView.model_validate_json((await node.operator.get("/v1/log")).content)
    assert log.newer > 0
    assert log.size + log.newer == health_of(node.app).log_size


@pytest.mark.more_rounds
async def test_of_too_many_rounds_the_oldest_are_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those are the likeliest to be stuck; how many were not looked at is a number of its own."""
    for module in (matcher_health, node_health):
        monkeypatch.setattr(module, "MOST_ROUNDS", 1)
    oldest = await world.propose()
    world.clock.time += 60
    await world.propose()
    await world.settle()
    for app in (world.app, world.nodes["AL"].app):
        found = health_of(app)
        assert ([one.round_id for one in found.rounds], found.left_out) == ([oldest], 1)
        assert metric(app, "rounds_left_out") == 1


@pytest.mark.more_rounds
async def test_a_round_that_waits_for_the_service_itself(world: World) -> None:
    await world.begin()
    for _ in range(40):
        for party_node in world.nodes.values():
            await party_node.step()
        steps_of(world.app.state.context, world.app.state.approvals)["opening"]()
        found = health_of(world.app)
        if awaited_in(found) == {("matcher", "report")}:
            break
    else:
        raise AssertionError(awaited_in(found))
    assert found.not_ready == ()
    world.clock.time += HOUR + 1
    report = HealthReport(world.app.state.health._parts)
    assert report.health().not_ready == (Subject.ROUNDS,)
    with pytest.raises(NotReadyError, match="rounds"):
        report.check_ready()
    await world.settle()
    assert health_of(world.app).not_ready == ()


@pytest.mark.rounds
async def test_a_round_that_cannot_go_on_is_a_finding(world_after: WorldAfter) -> None:
    """From its third failure in a row on, also where it is over and somebody has only something to say in it."""
    world, failing = await world_after(closed_round)
    party_node, error = world.nodes["AL"], OrderError(quoted("it cannot go on"))
    node = party_node.node
    with node.store.transaction("test.wake") as session:
        work.put(session, failing, Step.LOOK)
    for grade in (Grade.OK, Grade.OK, Grade.WARNING):
        _fail_again(node, failing, error)
        assert grade_of(health_of(party_node.app), Subject.ROUNDS) is grade
    for _ in range(20):
        _fail_again(node, failing, error)
    assert 45 <= work.seconds_left(node.store, node.clock) <= work.LONGEST_RETRY  # about a minute at most
    world.clock.time -= 86_400
    assert work.due(node.store, node.clock) == {failing: {Step.LOOK}}, "a clock that was set back puts nothing to sleep"
    world.clock.time += 86_400
    await world.settle()
    assert grade_of(health_of(party_node.app), Subject.ROUNDS) is Grade.OK


def _fail_again(node: NodeContext, round_id: str, error: AquilaError) -> None:
    work.wake_all(node.store, everything=True)
    taken = work.due_step(node.store, node.clock, round_id, Step.LOOK)
    assert taken is not None
    advance._fail(node.journal, taken, error)


async def test_the_matcher_and_the_clock(world: World) -> None:
    party_node = world.nodes["AL"]
    contact, now = party_node.node.contact, world.clock.time
    assert grade_of(health_of(party_node.app), Subject.MATCHER) is Grade.WARNING  # not called yet
    contact.answered(now)
    assert grade_of(health_of(party_node.app), Subject.MATCHER) is Grade.OK
    away = PeerUnavailableError("peer_unreachable", peer="http://m", kind="ConnectError")
    contact.lost(now, away)
    contact.lost(now + 5, away)
    assert grade_of(health_of(party_node.app), Subject.MATCHER) is Grade.WARNING
    world.clock.time += 61
    found = health_of(party_node.app)
    assert grade_of(found, Subject.MATCHER) is Grade.CRITICAL
    assert found.not_ready == (Subject.MATCHER,)
    assert found.outages == (Outage(peer="matcher", began_at=now, ended_at=None),)
    contact.answered(world.clock.time)
    contact.lost(world.clock.time, away)
    world.clock.time += 60
    contact.answered(world.clock.time)  # too short for the log
    for _ in range(2):
        node_health.store_outages(party_node.node)
        assert health_of(party_node.app).outages == (Outage(peer="matcher", began_at=now, ended_at=now + 61),)
    contact.obstacle = PeerUnavailableError("peer_answer_failed", status_code=503)
    assert grade_of(health_of(party_node.app), Subject.MATCHER) is Grade.WARNING
    contact.obstacle = LogRewrittenError(quoted("rewritten"))
    assert grade_of(health_of(party_node.app), Subject.MATCHER) is Grade.OK  # it is a fault of the log
    contact.obstacle = None
    for seconds, grade in ((60, Grade.OK), (-61, Grade.WARNING), (301, Grade.CRITICAL)):
        contact.clock_difference = seconds
        assert grade_of(health_of(party_node.app), Subject.CLOCK) is grade


async def test_a_refusal_is_an_answer(world: World) -> None:
    """Before the first answer and after a break, what is shown is the refusal and not that nothing came."""
    party_node = world.nodes["AL"]
    contact, calls = party_node.node.contact, party_node.node.peer
    party_node.node.peer = Peer(calls.settings, CallSigner(key_of("stranger"), "AL", world.clock), party_node.transport)
    for lost in (False, True):
        if lost:
            away = PeerUnavailableError("peer_unreachable", peer="http://m", kind="ConnectError")
            contact.lost(world.clock.time - HOUR, away)
        await party_node.step()
        check = next(one for one in health_of(party_node.app).checks if one.subject is Subject.MATCHER)
        assert (check.grade, [one.code for one in check.sentences]) == (Grade.CRITICAL, ["call_signature_not_pinned"])
    await calls.close()


async def test_a_database_that_fails_is_a_finding(world: World) -> None:
    party_node = world.nodes["AL"]
    path = party_node.home / "node.db"
    path.rename(path.with_suffix(".away"))
    party_node.node.store.close()
    path.mkdir()
    found = health_of(party_node.app)
    assert grade_of(found, Subject.DATABASE) is Grade.CRITICAL
    assert found.not_ready == (Subject.DATABASE,)
    party_node.app.state.health.check_live()
    path.rmdir()
    path.with_suffix(".away").rename(path)
    assert grade_of(health_of(party_node.app), Subject.DATABASE) is Grade.OK


async def test_a_disk_that_fails_is_a_finding(world: World) -> None:
    party_node = world.nodes["AL"]
    chunks = party_node.node.files.root
    chunks.rename(chunks.with_name("away"))
    assert grade_of(health_of(party_node.app), Subject.DISK) is Grade.CRITICAL
    chunks.with_name("away").rename(chunks)
    assert grade_of(health_of(party_node.app), Subject.DISK) is not Grade.CRITICAL


async def test_a_rewritten_log_keeps_a_node_from_its_work(world: World) -> None:
    """The database has lost what the log's files have shown, as a restored backup has."""
    party_node = world.nodes["AL"]
    await world.begin(lists=False)
    await world.settle()
    party_node.node.log.own.publish()
    parts = party_node.app.state.health._parts
    HealthReport(parts).check_ready()
    assert {one.subject for one in HealthReport(parts).health().checks} == set(Subject)
    with party_node.node.store.transaction("test.lost") as session:
        for table in (EDGE, NODES, ENTRIES):
            session.execute(delete(table))
    with pytest.raises(NotReadyError, match=f": {Subject.LOG}$"):
        HealthReport(parts).check_ready()


async def test_probes_tell_strangers_little(world: World) -> None:
    """Anyone may ask whether a service lives and is ready, and reads the names of checks and nothing more."""
    party_node = world.nodes["AL"]
    contact, now = party_node.node.contact, world.clock.time
    contact.lost(now - 100, PeerUnavailableError("peer_unreachable", peer="http://secret.example", kind="X"))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(party_node.app), base_url="http://node.test"
    ) as stranger:
        assert (await stranger.get("/live")).status_code == 204
        answer = await stranger.get("/ready")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert answer.json()["fields"] == {"listed": "matcher"}
        assert "secret.example" not in answer.text
        assert (await stranger.get("/v1/service/health")).status_code == 401
    whole = await party_node.get("/service/health")
    assert ServiceHealth.model_validate(whole).not_ready == (Subject.MATCHER,)


async def test_refusals_are_counted(world: World) -> None:
    party_node = world.nodes["AL"]
    body = {"login": "nobody", "password": "four invented words are enough", "code": "123456"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(party_node.app), base_url="http://node.test"
    ) as stranger:
        assert (await stranger.post("/v1/people/sign-in", json=body)).status_code == 401
    assert metric(party_node.app, "sign_ins_refused_total") == 1


async def test_requests_count_until_they_are_decided(world: World) -> None:
    party_node, round_id = world.nodes["AL"], await world.propose()
    await world.settle()
    assert metric(party_node.app, "requests_waiting") == 0
    officer, approver = party_node.person(Role.OFFICER), party_node.person(Role.APPROVER)
    asked = (await officer.post(f"/v1/rounds/{round_id}/consent")).json()
    assert metric(party_node.app, "requests_waiting") == 1
    now, world.clock.time = world.clock.time, asked["expires_at"]
    assert metric(party_node.app, "requests_waiting") == 0
    world.clock.time = now
    decision = f"/v1/approvals/{asked['approval_id']}/approve"
    assert (await approver.post(decision, json={"digest": asked["digest"]})).status_code == 200
    assert metric(party_node.app, "requests_waiting") == 0


async def test_statements_and_chunks_count_until_the_matcher_has_them(world_after: WorldAfter) -> None:
    """A list of three chunks that was prepared while the matcher takes nothing waits at its node, and nowhere else."""
    world, round_id = await world_after(round_without_lists)
    party_node = world.nodes["AL"]

    def waiting() -> tuple[float | None, float | None]:
        return metric(party_node.app, "statements_waiting"), metric(party_node.app, "chunks_waiting")

    assert waiting() == (0, 0)
    honest = party_node.transport
    for transport, expected in ((NotTaking(honest), (1, 3)), (honest, (0, 0))):
        party_node.stop()
        party_node.transport = transport
        party_node.start()
        if transport is not honest:
            assert (await party_node.submit(round_id, await party_node.load(HEADER + LISTS["AL"]))).status_code == 202
        for _ in range(20):
            await party_node.step()
            if waiting() == expected:
                break
        assert waiting() == expected
    assert metric(world.app, "statements_waiting") == 0


async def test_metrics_of_logs_certificates_and_disk(world: World, tmp_path: Path) -> None:
    party_node, ago = world.nodes["AL"], 500
    await world.begin(lists=False)
    await world.settle()
    ages = {
        (app is world.app, witness): metric(app, "log_witness_age_seconds", {"witness": witness})
        for app, witness in ((world.app, "AL"), (world.app, "RS"), (party_node.app, "matcher"))
    }
    world.clock.time += ago
    assert None not in ages.values()
    for (of_matcher, witness), age in ages.items():
        app = world.app if of_matcher else party_node.app
        assert metric(app, "log_witness_age_seconds", {"witness": witness}) == age + ago

    Authority.create(tmp_path, "ca").issue("service", days=100)
    ends = CertificateEnds([CertificateFile("tls.certificate", tmp_path / "service.pem")])
    ends_at = ends.current()[0].ends_at
    assert ends_at is not None
    labels = {"setting": "tls.certificate"}
    world.clock.time = ends_at - 12 * 86_400 - 1
    assert metric(party_node.app, "certificate_days_left", labels, certificates=lambda: ends) == 12
    assert metric(party_node.app, "certificate_days_left", labels) is None
    kept, root = shutil.disk_usage(tmp_path).total, party_node.node.files.root
    assert metric(party_node.app, "disk_free_bytes", files=ChunkFiles(root, kept)) == 0
    assert metric(party_node.app, "pieces_in_hand") == metric(party_node.app, "workers_lost_total") == 0


async def test_metrics_tell_of_no_hit_and_no_person(world_after: WorldAfter) -> None:
    world, _ = await world_after(round_with_hits)
    for app in (world.app, *(party_node.app for party_node in world.nodes.values())):
        registry = CollectorRegistry()
        registry.register(HealthMetrics(HealthReport(app.state.health._parts)))
        text = generate_latest(registry).decode()
        assert "aquila_ready 1.0" in text
        assert 'aquila_rounds{phase="reporting"} 1.0' in text
        for word in ("hoxha", "arben", "петровић", "novak", "hit", "certainty", "terrorism"):
            assert word not in text.lower()
