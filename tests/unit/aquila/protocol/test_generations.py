"""Which terms parties of different releases have in common, and who has to upgrade where they have none."""

from __future__ import annotations

import pytest

from aquila.errors import PolicyError
from aquila.protocol.generations import NEWEST, OLDEST, common, generation, named, readable


def test_a_release_says_what_it_reads() -> None:
    """What this release names is read as all that it reads; a release that says nothing of terms reads the first."""
    assert readable(named("1.2.3")) == range(OLDEST, NEWEST + 1)
    assert readable("0.2.0") == readable("0.2.0+build.7") == range(1, 2)
    assert readable("") == range(OLDEST, NEWEST + 1)


def test_the_newest_terms_that_all_read() -> None:
    """One party of the first release brings a round to its terms; without it the round has the newest."""
    assert common({"AL": named("9"), "RS": ""}) == NEWEST
    assert common({"AL": named("9"), "RS": "0.2.0"}) == 1
    assert common({"AL": "2.0.0+terms.1-9", "RS": "2.0.0+terms.2-7"}) == NEWEST


def test_terms_of_each_generation() -> None:
    """The first generation is what 0.2.0 knows: revision 2, normalizer 3 and the rules of its time."""
    first, newest = generation(1), generation(NEWEST)
    assert (first.revision, first.normalizer) == (2, "normalizer 3")
    assert first.tables["default"] == "6688b3267d4f1a880280c63fe886ce241e43c2f6857baa5769bd361ae85552a3"
    assert (newest.revision, newest.normalizer) == (3, "normalizer 4")
    assert first.tables["default"] != newest.tables["default"]
    assert first.tables["exact"] == newest.tables["exact"]


def test_who_has_to_upgrade() -> None:
    """Where there are no common terms, the refusal names the parties that read too little, or the matcher."""
    with pytest.raises(PolicyError) as parties:
        common({"AL": "0.2.0", "RS": "3.0.0+terms.2-4", "SI": "0.1.9"})
    assert (parties.value.sentence.code, parties.value.fields["parties"]) == ("parties_must_upgrade", "AL, SI")
    with pytest.raises(PolicyError) as matcher:
        common({"AL": "9.0.0+terms.5-9", "RS": named("1")})
    assert matcher.value.sentence.code == "matcher_must_upgrade"
    with pytest.raises(PolicyError):
        common({"AL": "9.0.0+terms.9-5"})
