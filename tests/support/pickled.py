"""Things as another process gets them."""

import pickle
from typing import TypeVar

T = TypeVar("T")


def sent(thing: T) -> T:
    """Return what arrives of a thing that is sent to another process."""
    arrived: T = pickle.loads(pickle.dumps(thing))  # noqa: S301 - pickled here
    return arrived
