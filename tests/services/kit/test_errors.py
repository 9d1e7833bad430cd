"""The services' errors and the merged table."""

import json

import pytest

from aquila.errors import AquilaError, OrderError
from aquila.protocol import problems
from aquila.sentences import quoted
from services.kit import errors
from services.kit.errors import (
    PROBLEMS,
    PeerUnavailableError,
    StoreConflictError,
    StoreError,
    StoreFullError,
    error_from_problem,
    problem_of,
    retry_after_of,
)

_OURS = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]


def test_every_error_of_the_services_has_a_row() -> None:
    """The merged table is the core's table and one row for each class of this module."""
    assert set(PROBLEMS) == set(problems.PROBLEMS) | set(_OURS)
    assert len({row.slug for row in PROBLEMS.values()}) == len(PROBLEMS)


def test_the_core_s_table_is_left_alone() -> None:
    assert not set(_OURS) & set(problems.PROBLEMS)


@pytest.mark.parametrize("kind", _OURS)
def test_an_error_comes_back_as_the_same_class(kind: type[AquilaError]) -> None:
    assert type(error_from_problem(json.dumps(problem_of(kind(quoted("x")))).encode())) is kind


def test_what_can_be_tried_again_says_when() -> None:
    for kind, row in PROBLEMS.items():
        assert (retry_after_of(kind(quoted("x"))) is not None) == (row.status == 503), kind


def test_a_full_disk_waits_longer_than_a_failed_statement() -> None:
    """The wait is the nearest class's, and a peer's own wish comes first."""
    assert retry_after_of(StoreFullError(quoted("x"))) == 300
    assert retry_after_of(StoreError(quoted("x"))) == 5
    assert retry_after_of(PeerUnavailableError(quoted("x"), retry_after=77)) == 77
    assert retry_after_of(StoreConflictError(quoted("x"))) is None
    assert retry_after_of(OrderError(quoted("x"), retry_after=1)) == 1
