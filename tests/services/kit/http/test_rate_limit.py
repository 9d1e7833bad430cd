"""Token buckets: as many calls at once as they hold, then as fast as they fill; each party its own."""

import pytest

from services.kit.errors import TooManyCallsError, problem_of, retry_after_of
from services.kit.http.signed_calls import Rate, RateLimiter


class Clock:
    time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def buckets(clock: Clock) -> RateLimiter:
    return RateLimiter(Rate(per_second=0.5, size=3), clock)


def test_a_bucket_is_emptied_and_fills_again(buckets: RateLimiter, clock: Clock) -> None:
    """Three at once, then one every two seconds, and after a long time three again."""
    for _ in range(3):
        buckets.take("RS")
    with pytest.raises(TooManyCallsError) as caught:
        buckets.take("RS")
    assert retry_after_of(caught.value) == 2
    assert problem_of(caught.value)["status"] == 429
    clock.time += 2
    buckets.take("RS")
    with pytest.raises(TooManyCallsError):
        buckets.take("RS")
    clock.time += 10_000
    for _ in range(3):
        buckets.take("RS")
    with pytest.raises(TooManyCallsError):
        buckets.take("RS")


def test_each_party_has_its_own(buckets: RateLimiter) -> None:
    for _ in range(3):
        buckets.take("RS")
    buckets.take("SI")


def test_a_refusal_says_what_comes_too_often(clock: Clock) -> None:
    copies = RateLimiter(Rate(per_second=1 / 600, size=1), clock, refusal="log_copied_too_often")
    copies.take("RS")
    with pytest.raises(TooManyCallsError, match="RS has copied this log"):
        copies.take("RS")


def test_what_somebody_else_took_comes_back(buckets: RateLimiter) -> None:
    """A call that was replayed costs its party nothing, and no bucket overflows by it."""
    for _ in range(100):
        buckets.take("RS")
        buckets.give_back("RS")
    for _ in range(3):
        buckets.take("RS")
    with pytest.raises(TooManyCallsError):
        buckets.take("RS")
