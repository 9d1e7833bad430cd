"""What opens notes is kept until a note of each hit came, whoever names a hit twice."""

import numpy as np

from aquila.crypto.sealing import NoteKeys
from aquila.protocol.rounds.hit_columns import NoteOpening, NoteOpenings
from aquila.simulation.party_state import HIT_ID, WaitingOpenings


def test_a_hit_that_is_named_twice_counts_once() -> None:
    first, second, other = (np.frombuffer(bytes([number] * 15 + [0]), dtype=HIT_ID) for number in (1, 2, 3))
    keys = NoteKeys(bytes(32), bytes(32))
    opening = NoteOpening("", keys, b"\x01", b"\x00", bytes(5), "0" * 64, None)
    both = (opening._replace(hit_id=one.tobytes().hex()) for one in (first, second))
    waiting = WaitingOpenings(NoteOpenings.of(both))
    assert [waiting.may_name(one) for one in (first, second, other)] == [True, True, False]
    assert [waiting.tick_off(one) for one in (first, first, other, second)] == [False, False, False, True]
