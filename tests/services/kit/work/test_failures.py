"""Failures of what is tried again."""

from aquila.sentences import quoted
from services.kit.errors import PeerUnavailableError
from services.kit.work.drivers import Failures


def _delay(count: int, error: Exception) -> float:
    failures = Failures(60)
    for _ in range(count):
        failures.add(error)
    return failures.delay()


def test_the_delay_grows_is_spread_and_capped() -> None:
    """Half a second, doubled each time, spread by a quarter, at most the limit, whatever the peer asks for."""
    delays = [_delay(count, ValueError()) for count in range(1, 30)]
    assert 0.375 <= delays[0] <= 0.625
    assert 1.5 <= delays[2] <= 2.5
    assert 45 <= delays[-1] <= 75
    assert len(set(delays)) > 20
    assert 22 <= _delay(1, PeerUnavailableError(quoted("x"), retry_after=30)) <= 38
    assert _delay(1, PeerUnavailableError(quoted("x"), retry_after=3600)) <= 75
    assert _delay(1, PeerUnavailableError(quoted("a connection broke"))) <= 0.625


def test_the_same_failure_is_news_ever_more_rarely() -> None:
    """Its 1st, 2nd, 4th and 8th time are, and another reason is; after a success all begins again."""
    failures = Failures(60)
    news = [failures.add(error) for error in [ValueError("a")] * 9 + [KeyError()] * 2]
    assert [number for number, is_news in enumerate(news, 1) if is_news] == [1, 2, 4, 8, 10]
    failures.clear()
    assert (failures.count, failures.error) == (0, None)
    assert failures.add(KeyError())
