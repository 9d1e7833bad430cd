"""A key in a token signs as one in memory does; what is wrong with a token is named, and a lost one is found again."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pkcs11
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pkcs11 import Attribute, KeyType, ObjectClass, TokenFlag

from aquila.crypto.keys import IdentityKey
from aquila.errors import AquilaError, KeyMaterialError
from services.kit.errors import Pkcs11Error, StoreError
from services.kit.storage.pkcs11 import TOKENS, KeyAddress, Pkcs11Key, Pkcs11Tokens
from tests.support.soft_tokens import MODULE, NEEDED, SoftToken, make_token

ED25519 = bytes.fromhex("06032b6570")
ED448 = bytes.fromhex("06032b6571")


def code_of(work: Callable[[], Any]) -> str:
    """Return why something with a token fails: it is tried again, so that no round is refused for it."""
    with pytest.raises(StoreError) as caught:
        work()
    assert type(caught.value) is Pkcs11Error
    return caught.value.sentence.code


def make(token: SoftToken, label: str = "identity", curve: bytes = ED25519, **hidden: bool) -> None:
    TOKENS.forget(MODULE)
    with pkcs11.lib(str(MODULE)).get_token(token_label=token.label).open(rw=True, user_pin=pin_of(token)) as session:
        found = session.create_domain_parameters(KeyType.EC_EDWARDS, {Attribute.EC_PARAMS: curve}, local=True)
        template = {Attribute.EXTRACTABLE: hidden.get("extractable", False)}
        found.generate_keypair(store=True, label=label, private_template=template)


def destroy(token: SoftToken, kind: ObjectClass, label: str = "identity") -> None:
    TOKENS.forget(MODULE)
    with pkcs11.lib(str(MODULE)).get_token(token_label=token.label).open(rw=True, user_pin=pin_of(token)) as session:
        for one in list(session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: label})):
            one.destroy()


def pin_of(token: SoftToken) -> str:
    return token.pin.read_text("utf-8").strip()


@NEEDED
class TestSoftHsm:
    def test_it_signs_as_a_key_in_memory_does(self, token: SoftToken) -> None:
        """RFC 8032: anybody verifies it, and the same message gives the same signature, large ones too."""
        key, made = Pkcs11Key.take_or_make(token.uri())
        assert made
        for message in (b"", b"statement", bytes(3 << 20)):
            signature = key.sign(message)
            key.public.ed25519().verify(signature, message)
            assert key.sign(message) == signature

    def test_a_key_that_is_there_is_taken(self, token: SoftToken) -> None:
        make(token)
        key, made = Pkcs11Key.take_or_make(token.uri())
        assert not made
        assert Pkcs11Key.open(token.uri()).public == key.public
        other, made = Pkcs11Key.take_or_make(token.uri("identity 2"))
        assert made
        assert other.public != key.public

    def test_a_key_that_is_made_here_cannot_be_read(self, token: SoftToken) -> None:
        key, _ = Pkcs11Key.take_or_make(token.uri())
        assert not key.can_be_read()
        make(token, "open", extractable=True)
        assert Pkcs11Key.open(token.uri("open")).can_be_read()

    def test_a_token_by_its_serial_number(self, token: SoftToken) -> None:
        key, _ = Pkcs11Key.take_or_make(token.uri())
        serial = pkcs11.lib(str(MODULE)).get_token(token_label=token.label).serial.decode()
        other = Pkcs11Key.open(replace(token.uri(), token="", serial=serial))
        assert other.public == key.public
        other.public.verify(key.sign(b"x"), b"x")
        key.public.verify(other.sign(b"x"), b"x")

    def test_what_is_missing(self, token: SoftToken) -> None:
        uri = token.uri()
        assert code_of(partial(Pkcs11Key.open, replace(uri, module=Path("/no/module.so")))) == "token_module_unusable"
        assert code_of(partial(Pkcs11Key.open, replace(uri, token="another"))) == "token_missing"
        assert code_of(partial(Pkcs11Key.open, uri)) == "token_key_missing"
        key, _ = Pkcs11Key.take_or_make(uri)
        destroy(token, ObjectClass.PUBLIC_KEY)
        assert code_of(partial(Pkcs11Key.open, uri)) == "token_key_missing"
        key.public.verify(key.sign(b"x"), b"x")  # it was found before, and its private half signs
        destroy(token, ObjectClass.PRIVATE_KEY)
        assert code_of(partial(key.sign, b"x")) == "token_key_missing"

    def test_two_keys_of_one_label(self, token: SoftToken) -> None:
        make(token)
        make(token)
        assert code_of(partial(Pkcs11Key.open, token.uri())) == "token_key_ambiguous"

    def test_a_key_of_another_curve(self, token: SoftToken) -> None:
        make(token, curve=ED448)
        assert code_of(partial(Pkcs11Key.open, token.uri())) == "token_key_not_ed25519"

    def test_halves_of_two_keys(self, token: SoftToken) -> None:
        make(token)
        Pkcs11Key.open(token.uri())
        destroy(token, ObjectClass.PRIVATE_KEY)
        make(token, "other")
        TOKENS.forget(MODULE)
        with (
            pkcs11.lib(str(MODULE)).get_token(token_label=token.label).open(rw=True, user_pin=pin_of(token)) as session
        ):
            private = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label="other")
            private[Attribute.LABEL] = "identity"
        assert code_of(partial(Pkcs11Key.open(token.uri()).sign, b"x")) == "token_signature_wrong"

    def test_a_wrong_pin_is_shown_once(self, token: SoftToken) -> None:
        """However often somebody signs: a token locks itself after a few. The right one is taken without a restart."""
        key, _ = Pkcs11Key.take_or_make(token.uri())
        right = token.pin.read_bytes()
        token.pin.write_bytes(b"000000\n")
        key.sign(b"the session is open")
        TOKENS.forget(MODULE)
        assert code_of(partial(key.sign, b"x")) == "token_pin_wrong"
        assert TokenFlag.USER_PIN_COUNT_LOW in TokenFlag(flags_of(token))
        token.pin.write_bytes(right)
        key.public.verify(key.sign(b"x"), b"x")
        assert TokenFlag.USER_PIN_COUNT_LOW not in TokenFlag(flags_of(token))
        token.pin.write_bytes(b"111111")
        TOKENS.forget(MODULE)
        assert code_of(partial(key.sign, b"x")) == "token_pin_wrong"
        # Somebody signs in by hand. The service does not come near the next lock with a PIN that it knows is wrong.
        with pkcs11.lib(str(MODULE)).get_token(token_label=token.label).open(user_pin=right.decode().strip()):
            pass
        assert code_of(partial(key.sign, b"x")) == "token_pin_wrong"
        assert TokenFlag.USER_PIN_COUNT_LOW not in TokenFlag(flags_of(token))

    @pytest.mark.parametrize(
        ("content", "mode", "code"),
        [
            (None, 0o600, "secret_unreadable"),
            (b"473829", 0o644, "permissions_too_open"),
            (b"\n", 0o600, "token_pin_unreadable"),
            (b"\xff\xfe", 0o600, "token_pin_unreadable"),
        ],
    )
    def test_a_file_without_a_pin(self, token: SoftToken, content: bytes | None, mode: int, code: str) -> None:
        token.pin.unlink()
        if content is not None:
            token.pin.write_bytes(content)
            token.pin.chmod(mode)
        assert code_of(partial(Pkcs11Key.open, token.uri())) == code
        assert TokenFlag.USER_PIN_COUNT_LOW not in TokenFlag(flags_of(token))

    def test_a_token_that_is_taken_out_and_put_back(self, token: SoftToken) -> None:
        """Until then nothing is signed; afterwards the next signature is as the last one, without a restart."""
        key, _ = Pkcs11Key.take_or_make(token.uri())
        before = key.sign(b"x")
        token.take_out()
        TOKENS.forget(MODULE)  # as a module that notices it
        assert code_of(partial(key.sign, b"x")) == "token_missing"
        assert code_of(key.check) == "token_missing"
        token.put_back()
        assert key.sign(b"x") == before
        key.check()

    def test_a_session_that_is_lost_is_opened_again(self, token: SoftToken) -> None:
        """Whoever ended the module behind its back: the signature is made all the same."""
        key, _ = Pkcs11Key.take_or_make(token.uri())
        before = key.sign(b"x")
        pkcs11.lib(str(MODULE)).finalize()
        assert key.sign(b"x") == before

    def test_a_token_that_was_made_after_the_module_started(self, token: SoftToken, token_folder: Path) -> None:
        key, _ = Pkcs11Key.take_or_make(token.uri())
        later = make_token(token_folder)
        other, made = Pkcs11Key.take_or_make(later.uri())
        assert made
        for one in (key, other, key):
            one.public.verify(one.sign(b"x"), b"x")

    def test_another_key_under_the_same_label(self, token: SoftToken) -> None:
        key, _ = Pkcs11Key.take_or_make(token.uri())
        destroy(token, ObjectClass.PUBLIC_KEY)
        destroy(token, ObjectClass.PRIVATE_KEY)
        make(token)
        assert code_of(key.check) == "token_key_changed"
        assert code_of(partial(key.sign, b"x")) == "token_signature_wrong"

    def test_many_threads_sign(self, token: SoftToken, token_folder: Path) -> None:
        """With keys of two tokens of one module, while their sessions are closed again and again."""
        other = make_token(token_folder)
        keys = [Pkcs11Key.take_or_make(one.uri())[0] for one in (token, other)]

        def work(number: int) -> None:
            key, message = keys[number % 2], number.to_bytes(4, "big")
            if number % 16 == 7:
                TOKENS.forget(MODULE)
            key.public.verify(key.sign(message), message)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(160)))

    def test_a_closed_key_signs_nothing(self, token: SoftToken) -> None:
        with Pkcs11Key.take_or_make(token.uri())[0] as key:
            assert repr(key) == f"<Pkcs11Key {key.public.short_fingerprint}>"
        with pytest.raises(KeyMaterialError) as caught:
            key.sign(b"x")
        assert caught.value.sentence.code == "key_already_closed"


def flags_of(token: SoftToken) -> int:
    TOKENS.forget(MODULE)
    found = pkcs11.lib(str(MODULE))
    try:
        return int(found.get_token(token_label=token.label).flags)
    finally:
        found.finalize()


@dataclass
class Made:
    found: Exception | None = None
    opened: Exception | None = None
    signed: Exception | None = None
    flags: TokenFlag = TokenFlag.RNG
    raw: bytes = b""
    key: Ed25519PrivateKey = field(default_factory=lambda: Ed25519PrivateKey.from_private_bytes(bytes(32)))
    logins: list[str] = field(default_factory=list)
    started: int = 0

    def load(self, module: str) -> "Made":
        assert module == "/m.so"
        self.started += 1
        return self

    def finalize(self) -> None:
        raise RuntimeError

    def get_token(self, **_: object) -> "Made":
        if self.found:
            raise self.found
        return self

    def open(self, *, rw: bool, user_pin: str) -> "Made":
        assert not rw or isinstance(self, Refusing)
        self.logins.append(user_pin)
        if self.opened:
            raise self.opened
        return self

    @property
    def token(self) -> "Made":
        return self

    def close(self) -> None:
        raise RuntimeError

    def get_objects(self, wanted: dict[Any, Any]) -> list["Made"]:
        assert wanted[Attribute.KEY_TYPE] is KeyType.EC_EDWARDS
        return [self]

    def __getitem__(self, attribute: Attribute) -> object:
        return self.raw + self.key.public_key().public_bytes_raw() if attribute is Attribute.EC_POINT else False

    def sign(self, message: bytes, mechanism: object) -> bytes:
        assert mechanism is pkcs11.Mechanism.EDDSA
        if self.signed:
            raise self.signed
        return self.key.sign(message)

    def create_domain_parameters(self, *_: object, **__: object) -> "Made":
        return self

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class Refusing(Made):
    def get_objects(self, wanted: dict[Any, Any]) -> list[Made]:
        assert wanted
        return []

    def generate_keypair(self, **_: object) -> None:
        assert self.signed
        raise self.signed


@pytest.fixture
def uri(tmp_path: Path) -> KeyAddress:
    pin = tmp_path / "pin"
    pin.write_bytes(b"1234\r\n")
    pin.chmod(0o600)
    return KeyAddress.parse("pkcs11:token=t;id=%01?module-path=/m.so&pin-source=pin", tmp_path)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (pkcs11.exceptions.TokenNotPresent(), "token_missing"),
        (pkcs11.exceptions.DeviceRemoved(), "token_missing"),
        (pkcs11.exceptions.MultipleTokensReturned(), "token_ambiguous"),
        (pkcs11.exceptions.GeneralError(), "token_failed"),
        (pkcs11.exceptions.PKCS11Error("CKR_VENDOR"), "token_failed"),
        (OSError(), "token_failed"),
    ],
)
def test_a_token_that_is_not_found(uri: KeyAddress, error: Exception, code: str) -> None:
    module = Made(found=error)
    assert code_of(lambda: Pkcs11Key.open(uri, Pkcs11Tokens(module.load))) == code
    assert module.logins == []


@pytest.mark.parametrize(
    ("error", "code", "logins"),
    [
        (pkcs11.exceptions.PinIncorrect(), "token_pin_wrong", 1),
        (pkcs11.exceptions.PinLenRange(), "token_pin_wrong", 1),
        (pkcs11.exceptions.PinLocked(), "token_locked", 1),
        (pkcs11.exceptions.PinExpired(), "token_pin_not_set", 1),
        (pkcs11.exceptions.UserPinNotInitialized(), "token_pin_not_set", 1),
        (pkcs11.exceptions.SessionCount(), "token_failed", 2),
    ],
)
def test_a_login_that_is_refused(uri: KeyAddress, error: Exception, code: str, logins: int) -> None:
    """What a PIN is the reason of is not tried a second time."""
    module = Made(opened=error)
    assert code_of(lambda: Pkcs11Key.open(uri, Pkcs11Tokens(module.load))) == code
    assert module.logins == ["1234"] * logins


@pytest.mark.parametrize(
    ("flags", "code"),
    [(TokenFlag.USER_PIN_LOCKED, "token_locked"), (TokenFlag.USER_PIN_FINAL_TRY, "token_pin_last_try")],
)
def test_no_pin_is_shown_to_a_token_that_may_lock(uri: KeyAddress, flags: TokenFlag, code: str) -> None:
    module = Made(flags=flags)
    assert code_of(lambda: Pkcs11Key.open(uri, Pkcs11Tokens(module.load))) == code
    assert module.logins == []


@pytest.mark.parametrize(
    ("error", "code", "starts"),
    [
        (pkcs11.exceptions.MechanismInvalid(), "token_without_ed25519", 1),
        (pkcs11.exceptions.FunctionNotSupported(), "token_without_ed25519", 1),
        (pkcs11.exceptions.DeviceError(), "token_failed", 2),
        (pkcs11.exceptions.SessionHandleInvalid(), "token_failed", 2),
    ],
)
def test_a_signature_that_fails(uri: KeyAddress, error: Exception, code: str, starts: int) -> None:
    """It is tried once more with the module started again, unless nothing else can come of it; later it signs again."""
    module = Made()
    key = Pkcs11Key.open(uri, Pkcs11Tokens(module.load))
    module.signed = error
    assert code_of(lambda: key.sign(b"x")) == code
    assert module.started == starts
    module.signed = None
    key.public.verify(key.sign(b"x"), b"x")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (pkcs11.exceptions.DeviceMemory(), "token_full"),
        (pkcs11.exceptions.TokenWriteProtected(), "token_write_protected"),
        (pkcs11.exceptions.DomainParamsInvalid(), "token_without_ed25519"),
    ],
)
def test_a_key_that_cannot_be_made(uri: KeyAddress, error: Exception, code: str) -> None:
    assert code_of(lambda: Pkcs11Key.take_or_make(uri, Pkcs11Tokens(Refusing(signed=error).load))) == code


@pytest.mark.parametrize("raw", [b"", b"\x04\x20", b"\x03\x21\x00"])
def test_each_form_of_a_public_key(uri: KeyAddress, raw: bytes) -> None:
    module = Made(raw=raw)
    key = Pkcs11Key.open(uri, Pkcs11Tokens(module.load))
    assert key.public == IdentityKey(bytes(32)).public


@pytest.mark.parametrize("raw", [b"\x04\x21", b"\x04"])
def test_another_form_of_a_public_key(uri: KeyAddress, raw: bytes) -> None:
    assert code_of(lambda: Pkcs11Key.open(uri, Pkcs11Tokens(Made(raw=raw).load))) == "token_key_not_ed25519"


def test_without_the_library(uri: KeyAddress) -> None:
    def load(_: str) -> Any:
        raise Pkcs11Error("token_library_missing")

    assert code_of(lambda: Pkcs11Key.open(uri, Pkcs11Tokens(load))) == "token_library_missing"


def test_no_error_tells_a_pin(uri: KeyAddress) -> None:
    for name in ("found", "opened", "signed"):
        module = Made(**{name: RuntimeError("the PIN 1234")})
        with pytest.raises(AquilaError) as caught:
            Pkcs11Key.open(uri, Pkcs11Tokens(module.load)).sign(b"x")
        said = f"{caught.value} {caught.value.hint} {caught.value.sentence}"
        assert "1234" not in said
        assert caught.value.__cause__ is None
