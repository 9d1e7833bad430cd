"""Keys that two parties of a round share and nobody else, one for each purpose (PROTOCOL.md 3.7.12)."""

from aquila.crypto.keys import ExchangeKey, SecretBytes
from aquila.protocol.encoding import framed
from aquila.protocol.rounds.verified_round import Round


def pair_key(round_: Round, own: str, exchange: ExchangeKey, counterpart: str, purpose: str) -> SecretBytes:
    """Return the key of a pair for a purpose, the same on both sides.

    Args:
        counterpart: The other one.

    Raises:
        MalformedError: The other one's exchange key has small order.
    """
    low, high = sorted((own, counterpart))
    context = framed(
        "aquila/1 pair",
        round_.first_binding,
        low.encode(),
        high.encode(),
        *(bytes.fromhex(round_.consents[party].exchange_key) for party in (low, high)),
        purpose.encode(),
    )
    return exchange.agree(bytes.fromhex(round_.consents[counterpart].exchange_key), context)
