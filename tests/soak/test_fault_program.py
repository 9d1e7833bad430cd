"""The soak's program of faults: which machines it loses, whose certificates expire, and what it cannot make."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509

from tests.support.authority import Authority
from tests.support.faults import KILLS, Fault, FaultProgram
from tests.support.faulty_rounds import FaultyRounds

NO_NETWORK: Any = SimpleNamespace()
NODES = ("AL", "AT", "BA")
SERVICES = {name: SimpleNamespace(name=name, kind="node") for name in NODES} | {
    "matcher": SimpleNamespace(name="matcher", kind="matcher")
}
MACHINES = {Fault.CLOCK, Fault.DISK}


def world() -> Any:
    nodes = [SERVICES[name] for name in NODES]
    return SimpleNamespace(services=SERVICES, nodes=nodes, callers_show=True)


def lost_by(seed: int, times: int) -> list[str]:
    lost: list[str] = []
    program = FaultProgram(world(), NO_NETWORK, seed, lose=lambda service: lost.append(service.name))
    for _ in range(times):
        program.lose_one()
    assert program.made == {Fault.RESTORE: times}
    assert program.restored == {name: lost.count(name) for name in lost}
    return lost


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_three_machines_that_are_lost_one_is_the_matchers(seed: int) -> None:
    """The matcher is lost once for two nodes, and the seed alone says when and which."""
    lost = lost_by(seed, 12)
    assert [lost[start : start + 3].count("matcher") for start in (0, 3, 6, 9)] == [1, 1, 1, 1]
    assert lost == lost_by(seed, 12)
    assert len({tuple(lost_by(one, 12)) for one in range(4)}) > 1


def test_kinds_are_those_that_can_be_made() -> None:
    """Without clocks, disks and a safe none of them is made; of kills alone, a restore is none."""
    program = FaultProgram(world(), NO_NETWORK, 1)
    assert program.kinds == set(Fault) - MACHINES - {Fault.RESTORE}
    program.lose_one()
    assert not program.made
    killing = FaultProgram(world(), NO_NETWORK, 1, lose=lambda _: None, kinds=KILLS)
    assert killing.kinds == {*KILLS, Fault.KILL_IN_CALL}


def test_kinds_that_cannot_be_made_have_a_reason(tmp_path: Path) -> None:
    played = FaultyRounds(tmp_path, {}, 1)
    played.faults: Any = SimpleNamespace(kinds=set(Fault) - MACHINES)
    assert set(played.not_made) == MACHINES
    assert "root" in played.not_made[Fault.DISK]
    assert {"faketime", "library"} & set(played.not_made[Fault.CLOCK].split())
    played.kinds = KILLS
    assert not played.not_made


@pytest.mark.parametrize("kind", [Fault.CERTIFICATE, Fault.CLIENT_CERTIFICATE])
def test_a_certificate_expires_and_is_renewed(tmp_path: Path, kind: Fault) -> None:
    """When connections break one certificate has expired, the matcher's or a node's, until a caller is refused."""
    authority, services = Authority.create(tmp_path, "ca"), []
    for name, service in SERVICES.items():
        authority.issue(name)
        log = tmp_path / f"{name}.log"
        log.write_text("it has expired, said an earlier line\n")
        services.append(SimpleNamespace(name=name, kind=service.kind, log=log))
    nodes = services[:-1]
    found: list[list[str]] = []
    speaks = True

    def expired() -> list[str]:
        files = {one.name: (tmp_path / f"{one.name}.pem").read_bytes() for one in services}
        now = dt.datetime.now(tz=dt.UTC)
        return [name for name, file in files.items() if x509.load_pem_x509_certificate(file).not_valid_after_utc < now]

    def change(_: object) -> None:
        found.append(expired())
        [of] = found[-1]
        refused = nodes[0] if of == "matcher" else next(one for one in nodes if one.name == of)
        if speaks:
            with refused.log.open("a") as file:
                file.write("refuses the certificate shown to it, because it has expired\n")

    network: Any = SimpleNamespace(change=change)
    stage: Any = SimpleNamespace(nodes=nodes, authority=authority, callers_show=True)
    program = FaultProgram(stage, network, 1, longest_expiry=0.0, kinds=[kind])
    program.make_one()
    assert program.made == {kind: 1}
    assert not expired()
    speaks = False
    program.make_one()
    assert program.made == {kind: 1}, "nobody was refused: that does not count"
    assert not expired()
    assert {"matcher"} == {*found[0], *found[1]} if kind is Fault.CERTIFICATE else "matcher" not in found[0] + found[1]
