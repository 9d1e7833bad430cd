"""What the parties sign: what one statement alone can contradict."""

from typing import Any

import pytest

from aquila.errors import MalformedError
from aquila.protocol.messages import Closing, Consent, Evaluation, Message, Outcomes, Submission, Tokens, Withdrawal
from tests.support.samples import DIGEST, OTHER, ROUND, SAMPLES, read

FULL, PARTIAL, COARSE = SAMPLES[Consent]["shares"]
PAIR = SAMPLES[Outcomes]["pairs"][0]
CHUNKS = SAMPLES[Submission]["chunks"]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        pytest.param(Consent, {"shares": [FULL, PARTIAL]}, id="share missing"),
        pytest.param(Consent, {"shares": [FULL, COARSE, PARTIAL]}, id="shares out of order"),
        pytest.param(Consent, {"shares": [FULL, PARTIAL, COARSE, COARSE]}, id="share twice"),
        pytest.param(Consent, {"shares": []}, id="no share"),
        pytest.param(Consent, {"shares": [FULL, PARTIAL, COARSE | {"input_class": "other"}]}, id="unknown class"),
        pytest.param(Consent, {"shares": [FULL | {"public_key": "E" * 64}, PARTIAL, COARSE]}, id="capital digits"),
        pytest.param(Consent, {"shares": [FULL | {"proof": "c" * 126}, PARTIAL, COARSE]}, id="short proof"),
        pytest.param(Consent, {"sealing_key": "abc"}, id="half a byte"),
        pytest.param(Consent, {"sealing_key": ""}, id="no sealing key"),
        pytest.param(Submission, {"chunks": []}, id="no chunk"),
        pytest.param(Submission, {"chunks": CHUNKS[:2]}, id="chunk of a class missing"),
        pytest.param(Submission, {"chunks": [CHUNKS[0] | {"elements": 4}, *CHUNKS[1:]]}, id="counts do not add up"),
        pytest.param(Submission, {"chunks": [CHUNKS[0] | {"elements": 0}, *CHUNKS]}, id="empty chunk"),
        pytest.param(
            Submission,
            {
                "elements": {"full": 65_536, "partial": 2, "coarse": 1},
                "chunks": [CHUNKS[0] | {"elements": 65_536}, *CHUNKS[1:]],
            },
            id="chunk too large",
        ),
        pytest.param(Submission, {"records": 0}, id="no record"),
        pytest.param(Submission, {"kind": "rumour"}, id="unknown kind"),
        pytest.param(Submission, {"justification": {}}, id="no justification"),
        pytest.param(Evaluation, {"index": -1}, id="chunk before the first"),
        pytest.param(Evaluation, {"elements": 0}, id="nothing evaluated"),
        pytest.param(Tokens, {"chunks": []}, id="no tokens"),
        pytest.param(Tokens, {"chunks": [{"rows": 0, "digest": DIGEST}]}, id="empty token chunk"),
        pytest.param(Tokens, {"chunks": [{"rows": 65_536, "digest": DIGEST}]}, id="token chunk too large"),
        pytest.param(Closing, {"destroyed": False}, id="not destroyed"),
        pytest.param(Closing, {"hits": -1}, id="negative hits"),
        pytest.param(Withdrawal, {"hits": []}, id="nothing withdrawn"),
        pytest.param(Withdrawal, {"hits": [OTHER, ROUND]}, id="withdrawn not ascending"),
        pytest.param(Withdrawal, {"ground": "Arben Hoxha"}, id="a ground of one's own"),
        pytest.param(Outcomes, {"pairs": [PAIR, PAIR]}, id="counterpart twice"),
        pytest.param(Outcomes, {"pairs": [PAIR | {"levels": []}]}, id="no level"),
        pytest.param(Outcomes, {"pairs": [PAIR | {"levels": PAIR["levels"][::-1]}]}, id="levels not ascending"),
    ],
)
def test_a_statement_that_contradicts_itself(kind: type[Message], changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        read(kind, **changes)
