"""A letter as an example: the request of Albania to Serbia about one hit."""

from aquila.followup.lifecycle import Channel, Urgency
from aquila.interface.hits import LetterView
from services.node.hits.letter import Letter, LetterHit

LETTER = Letter(
    sender="AL",
    receiver="RS",
    round_id="0" * 32,
    hits=(LetterHit("f" * 32, "high"),),
    channel=Channel.SIENA,
    reference="",
    urgency=Urgency.URGENT,
    opened_at=1_800_000_000,
    area="counter-terrorism",
    legal_basis="PCC SEE, Article 7",
    purpose="prevention",
)


def head_of(letter: LetterView) -> dict[str, str]:
    """Return the head of a letter in English, as text by label."""
    return {label.text: text.text for label, text in letter.head}
