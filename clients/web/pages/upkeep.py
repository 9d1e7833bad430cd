"""The service for its administrator: its health, what keeps it up with the buttons that help, and its settings."""

from fastapi import APIRouter, Response

from clients.sdk import UpkeepClient
from clients.web.app.visit import PageRoute, Sent, Visit, Visited
from clients.web.text.request_letter import CHANNELS, FAILURES

_BACKUP_SECONDS = 7 * 86_400
"""A backup that is older is marked as old."""

router = APIRouter(route_class=PageRoute)


@router.get("/service")
def get_service(visit: Visited) -> Response:
    return _page(visit)


@router.post("/service/backup")
def post_backup(visit: Visited, _sent: Sent) -> Response:
    """Begin a backup, which is sealed to the key in the home."""
    _client(visit).back_up()
    return visit.go("/service", "backup-begun")


@router.post("/service/certificate")
def post_certificate(visit: Visited, _sent: Sent) -> Response:
    _client(visit).renew_certificate()
    return visit.go("/service", "certificate-renewed")


@router.post("/service/notification-test")
def post_notification_test(visit: Visited, _sent: Sent) -> Response:
    """Send the visitor a test, and say what became of it."""
    failure = _client(visit).test_notifications().failure
    return _page(visit, visit.say(FAILURES[failure])) if failure else visit.go("/service", "test-sent")


def _page(visit: Visit, not_sent: str = "") -> Response:
    """Show the service.

    Args:
        not_sent: Why a test was not handed over.
    """
    visit.need("people.manage")
    client = _client(visit)
    upkeep, health = client.view(), client.health()
    told = upkeep.notifications
    return visit.show(
        "service.html",
        health=health,
        oldest=upkeep.at - _BACKUP_SECONDS,
        upkeep=upkeep,
        channels=", ".join(visit.say(CHANNELS[one.value]) for one in told.channels),
        failure=visit.say(FAILURES[told.failure]) if told.failure else "",
        not_sent=not_sent,
    )


def _client(visit: Visit) -> UpkeepClient:
    return UpkeepClient(visit.connection())
