"""What the matcher signs: what one announcement alone can contradict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aquila.errors import MalformedError
from aquila.protocol.messages import Ending, HitReport, Opening
from tests.support.samples import SAMPLES, read

if TYPE_CHECKING:
    from aquila.protocol.messages import Message

AL, SI = SAMPLES[Opening]["consents"]
BASIS, HIT = SAMPLES[HitReport]["bases"][0], SAMPLES[HitReport]["hits"][0]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        pytest.param(Opening, {"consents": [AL]}, id="one consent"),
        pytest.param(Opening, {"consents": [SI, AL]}, id="consents not ascending"),
        pytest.param(Opening, {"consents": [AL, AL]}, id="consent twice"),
        pytest.param(HitReport, {"bases": [BASIS | {"common_per_million": 0}]}, id="no common person"),
        pytest.param(HitReport, {"bases": [BASIS | {"common_per_million": 1_000_001}]}, id="more than all"),
        pytest.param(HitReport, {"bases": [BASIS | {"records": 0}]}, id="empty list"),
        pytest.param(HitReport, {"hits": [HIT | {"certainty": "sure"}]}, id="unknown level"),
        pytest.param(HitReport, {"hits": [HIT | {"handle": "0"}]}, id="short handle"),
        pytest.param(HitReport, {"hits": [HIT | {"name": "somebody"}]}, id="a name"),
        pytest.param(Ending, {"outcome": "lost"}, id="unknown outcome"),
    ],
)
def test_an_announcement_that_contradicts_itself(kind: type[Message], changes: dict[str, Any]) -> None:
    """Each of these announcements is refused."""
    with pytest.raises(MalformedError):
        read(kind, **changes)
