"""A report on a service's health that has something of everything; all of it invented."""

from aquila.interface.log import CosignatureView
from aquila.interface.rounds import Awaited
from aquila.interface.service.health import (
    CertificateHealth,
    ContactHealth,
    DriverHealth,
    Grade,
    HealthCheck,
    RoundHealth,
    ServiceHealth,
    StepSince,
    Subject,
)

NOW = 1_800_000_000
ROUNDS = (
    RoundHealth(
        round_id="ab" * 16,
        phase="open",
        began_at=NOW - 200_000,
        progress_at=NOW - 90_000,
        awaited=tuple(StepSince(party=code, step=Awaited.LIST, since=NOW - 60) for code in ("AL", "RS")),
        stuck=True,
        here=False,
    ),
    RoundHealth(
        round_id="cd" * 16, phase="reporting", began_at=NOW - 9, progress_at=NOW, awaited=(), stuck=False, here=False
    ),
)
FINE = ServiceHealth(
    service="node",
    name="SI",
    version="1",
    backend="native",
    at=NOW,
    started_at=NOW - 60,
    grade=Grade.OK,
    not_ready=(),
    checks=tuple(HealthCheck(subject=one, grade=Grade.OK) for one in Subject),
    rounds=(),
    left_out=0,
    certificates=(CertificateHealth(setting="tls.certificate", ends_at=NOW + 86_400 * 40, days_left=40),),
    drivers=(DriverHealth(driver="rounds", failures=4, failing=0, step_seconds=2),),
    contacts=(ContactHealth(party="matcher", at=NOW - 125),),
    log_size=7,
    witnesses=(CosignatureView(witness="matcher", size=7, at=NOW - 7_300),),
    chunks_waiting=3,
    disk_free=5 << 20,
    workers=2,
    workers_lost=1,
    clock_difference=-2,
    proofs_refused=0,
    sign_ins_refused=5,
    statements_waiting=6,
    requests_waiting=8,
    pieces_in_hand=9,
)
"""A node without open rounds."""

FULL = FINE.model_copy(update={"rounds": ROUNDS, "left_out": 4})
"""The same with open rounds, one of them stuck."""
