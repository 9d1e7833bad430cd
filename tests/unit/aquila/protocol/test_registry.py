"""The registry file: keys that count, and nothing else."""

from dataclasses import replace
from random import Random

import pytest

from aquila.audit.checkpoint import Note, cosign
from aquila.crypto.keys import IdentityKey
from aquila.errors import InputError, PolicyError, SignatureError
from aquila.protocol.registry import MATCHER, Callers, RegisteredParty, Registry, read_registry, write_registry
from tests.support.registering import key_of, registry_of

MATCHER_KEY, AL_KEY, SI_KEY = (IdentityKey(bytes([number]) * 32).public for number in (1, 2, 3))
REGISTRY = Registry(
    MATCHER_KEY,
    {"SI": RegisteredParty("SI", "Slovenija", SI_KEY), "AL": RegisteredParty("AL", 'Shqipëria "e" \\ Ščž', AL_KEY)},
)
FILE = write_registry(REGISTRY).decode()


def test_what_is_written_is_read() -> None:
    """A registry comes back, quotation marks and backslashes in names included."""
    assert read_registry(FILE.encode()) == REGISTRY
    assert list(read_registry(FILE.encode()).parties) == ["AL", "SI"]


def test_keys_by_code() -> None:
    assert (REGISTRY.key_of(MATCHER), REGISTRY.key_of("SI")) == (MATCHER_KEY, SI_KEY)
    with pytest.raises(SignatureError, match="does not know the party XK") as caught:
        REGISTRY.key_of("XK")
    assert caught.value.fields == {"party": "XK"}


def test_keys_of_a_log() -> None:
    assert REGISTRY.log_keys("SI", SI_KEY) == (SI_KEY,)
    assert REGISTRY.log_keys("SI", AL_KEY) == (SI_KEY, AL_KEY)
    with pytest.raises(SignatureError):
        REGISTRY.log_keys("XK", SI_KEY)


def test_nobody_witnesses_an_own_log() -> None:
    """Of cosignatures by all who have a key, that of the log's owner counts for nothing."""
    registry, note = registry_of("AL", "RS", "SI"), Note("a log\n1\n\n", ())
    for at, holder in enumerate(("SI", MATCHER, "AL")):
        note = cosign(note, registry.witness_of(holder), key_of(holder), at)
    al, matcher, si = ((one, registry.key_of(one)) for one in ("AL", MATCHER, "SI"))
    assert list(registry.cosigners(note, MATCHER)) == [(*al, 2), (*si, 0)]
    assert list(registry.cosigners(note, "SI")) == [(*matcher, 1), (*al, 2)]


def test_holders_by_fingerprint() -> None:
    holders = REGISTRY.by_fingerprint()
    assert holders[MATCHER_KEY.fingerprint] == (MATCHER, MATCHER_KEY)
    assert holders[AL_KEY.fingerprint] == ("AL", AL_KEY)
    assert len(holders) == 3


def replaced(old: str, new: str) -> bytes:
    assert old in FILE
    return FILE.replace(old, new).encode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe", id="not UTF-8"),
        pytest.param(b"[matcher", id="no TOML"),
        pytest.param(b"a = " + b"[" * 50_000, id="nested until Python gives up"),
        pytest.param(b"a = " + b"9" * 5_000, id="number too long"),
        pytest.param(replaced("[matcher]", "[other]"), id="no matcher"),
        pytest.param(replaced('name = "Slovenija"\n', ""), id="no name"),
        pytest.param(replaced('"Slovenija"', '""'), id="empty name"),
        pytest.param(replaced('"Slovenija"', "17"), id="name is a number"),
        pytest.param(replaced('"Slovenija"', '"two\\nlines"'), id="name of two lines"),
        pytest.param(replaced('code = "SI"', 'code = "Si"'), id="small letter"),
        pytest.param(replaced('code = "SI"', 'code = "SI\\n"'), id="line break behind the code"),
        pytest.param(replaced('code = "SI"', 'code = "matcher"'), id="the matcher as a party"),
        pytest.param(replaced('code = "SI"', "code = 17"), id="code is a number"),
        pytest.param(replaced('code = "SI"', "code = [1]"), id="code is a list"),
        pytest.param(replaced('code = "SI"', 'code = "AL"'), id="party twice"),
        pytest.param(replaced(SI_KEY.hex, AL_KEY.hex), id="key twice"),
        pytest.param(replaced(SI_KEY.hex, MATCHER_KEY.hex), id="the matcher's key"),
        pytest.param(replaced(SI_KEY.hex, SI_KEY.hex.upper()), id="capital digits"),
        pytest.param(replaced(SI_KEY.hex, "00" * 32), id="key of small order"),
        pytest.param(replaced(f'"{SI_KEY.hex}"', "17"), id="key is a number"),
        pytest.param(b"party = 17\n" + FILE.split("[[party]]")[0].encode(), id="party is a number"),
        pytest.param(b"matcher = 17\nparty = []", id="matcher is a number"),
    ],
)
def test_a_file_that_is_no_registry(content: bytes) -> None:
    """Each of these files is refused as an input that cannot be used."""
    with pytest.raises(InputError, match="registry file"):
        read_registry(content)


def test_a_registry_of_many() -> None:
    random = Random(7)
    parties = {
        code: RegisteredParty(code, "".join(chr(random.randrange(0xA1, 0x500)) for _ in range(9)), key)
        for code, key in (("BA", AL_KEY), ("XK", SI_KEY))
    }
    printable = {code: party for code, party in parties.items() if party.name.isprintable()}
    registry = Registry(MATCHER_KEY, printable)
    assert read_registry(write_registry(registry) + (b"" if printable else b"party = []")) == registry


def test_a_party_that_left_is_written_and_read_again() -> None:
    registry = registry_of("RS", "SI", left=("RS",))
    again = read_registry(write_registry(registry))
    assert again == registry
    assert again.present() == ("SI",)
    assert again.key_of("RS") == registry.parties["RS"].key


def test_callers_follow_the_registry() -> None:
    registry = registry_of("RS")
    callers = Callers(registry)
    rs, si = (registry_of("RS", "SI").parties[code].key for code in ("RS", "SI"))
    assert (callers[rs.fingerprint], si.fingerprint in callers, len(callers)) == (("RS", rs), False, 2)
    registry.adopt(registry_of("RS", "SI", left=("RS",)))
    assert set(callers) == {si.fingerprint, registry.matcher.fingerprint}


def test_a_registry_may_have_no_party_yet() -> None:
    assert read_registry(write_registry(registry_of())).parties == {}


def renewed(registry: Registry, code: str, *names: str) -> Registry:
    for name in names:
        party = replace(registry.parties[code], key=key_of(name).public)
        former = {**registry.former, code: registry.keys_of(code)}
        registry = Registry(registry.matcher, {**registry.parties, code: party}, former)
    return registry


def test_a_replaced_key_stays_with_its_party() -> None:
    """What it signed is read, calls are not taken under it, and log and witness keep their names."""
    before = registry_of("RS", "SI")
    after = renewed(before, "SI", "SI new", "SI newer")
    old, new, newer = (key_of(name).public for name in ("SI", "SI new", "SI newer"))
    assert read_registry(write_registry(after)) == after
    assert after.keys_of("SI") == (old, new, newer)
    assert after.by_fingerprint()[old.fingerprint] == ("SI", old)
    assert [key.fingerprint in Callers(after) for key in (old, new, newer)] == [False, False, True]
    assert (after.origin_of("SI"), after.witness_of("SI")) == (before.origin_of("SI"), before.witness_of("SI"))


def test_a_registry_is_continued_by_its_keys() -> None:
    first = registry_of("RS", "SI")
    second, third = renewed(first, "SI", "SI new"), renewed(first, "SI", "SI new", "SI newer")
    for before, newer in ((first, second), (second, third), (first, third)):
        before.check_successor(newer)
    for before, newer, code in (
        (second, first, "registry_returns_to_key"),
        (third, second, "registry_returns_to_key"),
        (second, renewed(first, "SI", "false"), "registry_replaces_key"),
        (second, Registry(second.matcher, second.parties), "registry_replaces_key"),
    ):
        with pytest.raises(PolicyError) as caught:
            before.check_successor(newer)
        assert caught.value.sentence.code == code
    first.adopt(third)
    assert first == third


def test_a_replaced_key_is_nobody_elses() -> None:
    content = write_registry(renewed(registry_of("RS", "SI"), "SI", "RS"))
    with pytest.raises(InputError):
        read_registry(content)


def test_a_file_that_is_no_toml_is_refused_with_its_line() -> None:
    with pytest.raises(InputError, match=r"the registry file cannot be read: .* \(at line 2, column 1\)"):
        read_registry(b"[matcher]\n= 1\n")
