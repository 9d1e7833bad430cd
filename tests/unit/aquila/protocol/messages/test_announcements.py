"""What the matcher signs: what one announcement alone can contradict."""

from typing import Any

import pytest

from aquila.errors import MalformedError
from aquila.protocol.encoding import canonical
from aquila.protocol.messages import Ending, HitReport, Message, Opening
from tests.support.samples import SAMPLES, read

AL, SI = SAMPLES[Opening]["consents"]
LISTS = {"submission_id": None}
BASIS, HIT = SAMPLES[HitReport]["basis"], SAMPLES[HitReport]["hits"][0]
WEIGHT = BASIS["learned"][0]
EARLIER = WEIGHT | {"of": "decade"}
BELOW = {"counterpart_handle": "0" * 32, "handle": "1" * 32, "met": "00", "pair_id": "2" * 32}


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        pytest.param(Opening, {"consents": [AL]}, id="one consent"),
        pytest.param(Opening, {"consents": [SI, AL]}, id="consents not ascending"),
        pytest.param(Opening, {"consents": [AL, AL]}, id="consent twice"),
        pytest.param(HitReport, {"basis": BASIS | {"common_per_million": 0}}, id="no common person"),
        pytest.param(HitReport, {"basis": BASIS | {"common_per_million": 1_000_001}}, id="more than all"),
        pytest.param(HitReport, {"basis": BASIS | {"records": 0}}, id="empty list"),
        pytest.param(HitReport, {"basis": BASIS | {"learned": [WEIGHT, WEIGHT]}}, id="weight twice"),
        pytest.param(HitReport, {"basis": BASIS | {"learned": [WEIGHT, EARLIER]}}, id="weights not ascending"),
        pytest.param(HitReport, {"basis": BASIS | {"learned": [WEIGHT | {"centibits": 0.5}]}}, id="half a centibit"),
        pytest.param(HitReport, {"hits": [HIT | {"certainty": "sure"}]}, id="unknown level"),
        pytest.param(HitReport, {"hits": [HIT | {"handle": "0"}]}, id="short handle"),
        pytest.param(HitReport, {"hits": [HIT | {"name": "somebody"}]}, id="a name"),
        pytest.param(HitReport, {"page": {"number": 0, "pages": 2}}, id="page of a query"),
        pytest.param(HitReport, LISTS | {"page": {"number": 2, "pages": 2}}, id="page after the last"),
        pytest.param(HitReport, LISTS | {"page": {"number": 0, "pages": 1}}, id="one page"),
        pytest.param(HitReport, LISTS | {"page": {"number": 0, "pages": 2}, "hits": []}, id="empty page"),
        pytest.param(
            HitReport, LISTS | {"page": {"number": 0, "pages": 2}, "below": [BELOW, BELOW]}, id="pair twice on a page"
        ),
        pytest.param(
            HitReport, LISTS | {"page": {"number": 0, "pages": 2}, "hits": [HIT, HIT]}, id="hit twice on a page"
        ),
        pytest.param(Ending, {"outcome": "lost"}, id="unknown outcome"),
    ],
)
def test_an_announcement_that_contradicts_itself(kind: type[Message], changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        read(kind, **changes)


@pytest.mark.parametrize("page", [None, {"number": 0, "pages": 2}, {"number": 1, "pages": 2}])
def test_a_report_is_written_as_every_message(page: dict[str, int] | None) -> None:
    """What pydantic writes of a report is its canonical encoding, also of letters that JSON escapes."""
    changes = LISTS | ({"page": page} if page else {})
    report = read(HitReport, **changes)
    assert report.is_complete == (page is None or page["number"] == 1)
    told = [hit.model_copy(update={"families": ('č"\\/\u2028', "names")}) for hit in report.hits]
    for fields in ({}, {"hits": tuple(told)}):
        changed = report.model_copy(update=fields)
        assert changed.payload() == canonical(changed.model_dump(mode="json"))
        assert HitReport.from_payload(changed.payload()) == changed
