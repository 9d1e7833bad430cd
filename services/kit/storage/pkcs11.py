"""An identity key in a PKCS#11 token: it signs there and never leaves it.

The token's library (a module) is foreign code in this process, and PKCS#11 binds a process to few rules of its own:
one login counts for all sessions of a token, closing a session that logged in logs all of them out, and a module is
started without threads, as `python-pkcs11` does. So one lock is held over every call, and there is one session for each
token.

What fails is tried once more in a new session, with the module started again: a token that was taken out
and put back, or a security module that was restarted, is found again. A PIN that was refused is not shown a second
time, and none is shown when the token has one try left, so that a wrong file does not lock a token.

The address of a key is a `pkcs11:` URI (RFC 7512) with the module and the file of the PIN.
An address holds no secret: a PIN within it is refused. So it lies in the file of the identity key, in place of the key,
and in backups. It is read in one way alone; whatever is not used here is refused, since a misread attribute could lead
to another key.
"""

import contextlib
import importlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar
from urllib.parse import unquote_to_bytes

from aquila.crypto.keys import KEY_BYTES, SecretBytes, VerifyKey
from aquila.errors import AquilaError, KeyMaterialError, MalformedError, SignatureError
from services.kit.errors import Pkcs11Error, StoreError
from services.kit.storage.files import read_secret

SCHEME = "pkcs11:"
_PATH = frozenset({"token", "serial", "object", "id", "type"})
_QUERY = frozenset({"module-path", "pin-source"})
_PIN = frozenset({"pin-value"})
_ATTRIBUTE = re.compile(r"([a-z][a-z-]{0,31})=((?:[\x21-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})+)")
_LONGEST = 4_096


@dataclass(frozen=True, slots=True)
class KeyAddress:
    """The address of one key."""

    text: str
    """As it was given."""
    module: Path
    pin: Path
    """The file with the PIN of the token's user."""
    token: str
    """The token's label, or nothing."""
    serial: str
    """Its serial number, or nothing."""
    label: str
    """The key's label, or nothing."""
    identifier: bytes
    """The key's identifier (`CKA_ID`), or nothing."""

    @property
    def token_name(self) -> str:
        """The token's label, or its serial number where the address has no label."""
        return self.token or self.serial

    @property
    def key_name(self) -> str:
        """The key's label, or its identifier in hexadecimal digits where the address has no label."""
        return self.label or self.identifier.hex()

    @classmethod
    def parse(cls, text: str, folder: Path) -> Self:
        """Read an address.

        1. The scheme, attributes of the path divided by semicolons, and those of the query divided by ampersands.
        2. Each attribute is known, has a value, and comes once. A PIN is refused wherever it is.
        3. It names a token by label or serial number, a key by label or identifier, the module, and the PIN's file.

        Args:
            text: The address; no error repeats a value of it.
            folder: From which a relative path of the PIN's file counts.
        """
        # 1.
        text = text.strip()
        path, _, query = text.removeprefix(SCHEME).partition("?")
        if not text.startswith(SCHEME) or len(text) > _LONGEST:
            raise KeyMaterialError("token_address_malformed")
        # 2.
        given = _attributes(path, ";", _PATH) | _attributes(query, "&", _QUERY)
        if given.pop("type", b"private") != b"private":
            raise KeyMaterialError("token_address_malformed")
        # 3.
        for names in (("token", "serial"), ("object", "id"), ("module-path",), ("pin-source",)):
            if not any(name in given for name in names):
                raise KeyMaterialError("token_address_incomplete", attribute=" or ".join(names))
        try:
            texts = {name: value.decode("utf-8") for name, value in given.items() if name != "id"}
        except UnicodeDecodeError:
            raise KeyMaterialError("token_address_malformed") from None
        module, pin = Path(texts["module-path"]), texts["pin-source"].removeprefix("file:")
        if not module.is_absolute() or pin.startswith(("|", "//")) or "\0" in pin:
            raise KeyMaterialError("token_address_malformed")
        return cls(
            text,
            module,
            folder / pin,
            texts.get("token", ""),
            texts.get("serial", ""),
            texts.get("object", ""),
            given.get("id", b""),
        )


def _attributes(part: str, divider: str, known: frozenset[str]) -> dict[str, bytes]:
    """Return the attributes of a part of an address; raises as `KeyAddress.parse` does."""
    found: dict[str, bytes] = {}
    for one in filter(None, part.split(divider)):
        if any(one.startswith(name) for name in _PIN):
            raise KeyMaterialError("token_address_with_pin")
        matched = _ATTRIBUTE.fullmatch(one)
        if matched is None or matched[1] in found:
            raise KeyMaterialError("token_address_malformed")
        if matched[1] not in known:
            raise KeyMaterialError("token_address_attribute_unknown", attribute=matched[1])
        found[matched[1]] = unquote_to_bytes(matched[2])
    return found


T = TypeVar("T")
Foreign: TypeAlias = Any
"""An object of `python-pkcs11`, which is loaded without its types."""
_ED25519 = bytes.fromhex("06032b6570")  # the object identifier 1.3.101.112 (RFC 8410), as CKA_EC_PARAMS has it
_POINTS = (b"\x04\x20", b"\x03\x21\x00", b"")
"""How tokens wrap the 32 bytes of a public key: as an OCTET STRING (PKCS#11 3.0), a BIT STRING, or not at all."""

# The ids of sentences by the names of the library's errors; whatever else fails is `token_failed`.
_CODES = {
    "NoSuchToken": "token_missing",
    "TokenNotPresent": "token_missing",
    "TokenNotRecognised": "token_missing",
    "SlotIDInvalid": "token_missing",
    "DeviceRemoved": "token_missing",
    "MultipleTokensReturned": "token_ambiguous",
    "PinIncorrect": "token_pin_wrong",
    "PinInvalid": "token_pin_wrong",
    "PinLenRange": "token_pin_wrong",
    "PinLocked": "token_locked",
    "PinExpired": "token_pin_not_set",
    "UserPinNotInitialized": "token_pin_not_set",
    "NoSuchKey": "token_key_missing",
    "MultipleObjectsReturned": "token_key_ambiguous",
    "MechanismInvalid": "token_without_ed25519",
    "DomainParamsInvalid": "token_without_ed25519",
    "FunctionNotSupported": "token_without_ed25519",
    "DeviceMemory": "token_full",
    "TokenWriteProtected": "token_write_protected",
    "SessionReadOnly": "token_write_protected",
}
# Another try would find the same, or cost the token one of its tries for a PIN.
_SETTLED = frozenset(_CODES.values()) - {"token_missing", "token_key_missing"} | {"token_pin_last_try"}


@dataclass(slots=True)
class TokenSession:
    """A session with a token, and the keys that were found in it."""

    session: Foreign
    keys: dict[tuple[str, bytes], Foreign] = field(default_factory=dict)


def _library() -> Foreign:
    """Return `python-pkcs11`, which is optional: only a service whose key is in a token loads it."""
    try:
        return importlib.import_module("pkcs11")
    except ImportError:
        raise Pkcs11Error("token_library_missing") from None


def _load(module: str) -> Foreign:
    """Load and start a module; raises as `_library` does."""
    return _library().lib(module)


class Pkcs11Tokens:
    """The tokens that this process has opened. Safe in threads; not in a process that was forked."""

    def __init__(self, load: Callable[[str], Foreign] = _load) -> None:
        """Open nothing yet; `load` loads and starts a module by its path."""
        self._load = load
        self._lock = threading.RLock()
        self._libraries: dict[str, Foreign] = {}
        self._opened: dict[tuple[str, str, str], TokenSession] = {}
        self._refused: dict[tuple[str, str, str], SecretBytes] = {}

    def run(self, uri: KeyAddress, work: Callable[[TokenSession], T], *, writable: bool = False) -> T:
        """Do something in a session with a token, which is opened if there is none, and once again if it fails.

        Args:
            work: It may be done twice.
            writable: Whether keys can be made in the session, which is then closed.

        Raises:
            Pkcs11Error: The token cannot be used, and why.
        """
        with self._lock:
            if writable:
                self.forget(uri.module)
            try:
                return self._attempt(uri, work, writable=writable)
            except Pkcs11Error as error:
                if error.sentence.code in _SETTLED:
                    raise
                # A module that was started before a token was put in, or that has lost it, is started again.
                self.forget(uri.module)
                return self._attempt(uri, work, writable=writable)
            finally:
                if writable:
                    self.forget(uri.module)

    def forget(self, module: Path) -> None:
        """Close all sessions of a module and end it; it is started again when it is needed."""
        with self._lock:
            for place in [one for one in self._opened if one[0] == str(module)]:
                opened = self._opened.pop(place)
                opened.keys.clear()
                with contextlib.suppress(Exception):
                    opened.session.close()
            library = self._libraries.pop(str(module), None)
            if library is not None:
                with contextlib.suppress(Exception):
                    library.finalize()

    def _attempt(self, uri: KeyAddress, work: Callable[[TokenSession], T], *, writable: bool) -> T:
        try:
            return work(self._opened.get(_place(uri)) or self._open(uri, writable=writable))
        except AquilaError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a foreign module raises; its message is dropped
            code = _CODES.get(type(error).__name__, "token_failed")
            names = {"token": uri.token_name, "key": uri.key_name, "file": str(uri.pin), "module": str(uri.module)}
            raise Pkcs11Error(code, **names, kind=type(error).__name__) from None

    def _open(self, uri: KeyAddress, *, writable: bool) -> TokenSession:
        """Open a session with a token and log in; raises what the library raises, or as `run` does."""
        place = _place(uri)
        token = self._started(uri.module).get_token(
            token_label=uri.token or None, token_serial=uri.serial.encode() or None
        )
        for known, opened in self._opened.items():
            if known[0] == place[0] and opened.session.token == token:  # by another name: one login counts for both
                self._opened[place] = opened
                return opened
        with _pin(uri) as pin:
            refused = self._refused.get(place)
            if refused is not None and refused == pin:
                raise Pkcs11Error("token_pin_wrong", token=uri.token_name, file=str(uri.pin))
            # The library's flags, which are bits with names.
            if token.flags & type(token.flags).USER_PIN_LOCKED:
                raise Pkcs11Error("token_locked", token=uri.token_name)
            if token.flags & type(token.flags).USER_PIN_FINAL_TRY:
                raise Pkcs11Error("token_pin_last_try", token=uri.token_name)
            try:
                session = token.open(rw=writable, user_pin=pin.to_bytes().decode("utf-8"))
            except Exception as error:
                if _CODES.get(type(error).__name__) == "token_pin_wrong":
                    self._refused[place] = SecretBytes(pin.to_bytes())
                raise
        self._refused.pop(place, None)
        return self._opened.setdefault(place, TokenSession(session))

    def _started(self, module: Path) -> Foreign:
        """Return a started module; raises as `run` does."""
        library = self._libraries.get(str(module))
        if library is None:
            try:
                library = self._load(str(module))
            except AquilaError:
                raise
            except Exception as error:  # noqa: BLE001 - likewise
                raise Pkcs11Error("token_module_unusable", module=str(module), kind=type(error).__name__) from None
            self._libraries[str(module)] = library
        return library


TOKENS = Pkcs11Tokens()
"""The tokens of this process."""


class Pkcs11Key:
    """An Ed25519 key in a token, as `aquila.crypto.keys.SigningKey`; a context manager that closes itself."""

    __slots__ = ("_closed", "_tokens", "public", "uri")

    def __init__(self, uri: KeyAddress, public: VerifyKey, tokens: Pkcs11Tokens = TOKENS) -> None:
        """Take a key that was found; `open` finds one."""
        self.uri = uri
        self.public = public
        self._tokens = tokens
        self._closed = False

    @classmethod
    def open(cls, uri: KeyAddress, tokens: Pkcs11Tokens = TOKENS) -> Self:
        """Find a key in its token; raises Pkcs11Error if the token cannot be used, or has no such key, and why."""
        return cls(uri, tokens.run(uri, partial(_found, uri)), tokens)

    @classmethod
    def take_or_make(cls, uri: KeyAddress, tokens: Pkcs11Tokens = TOKENS) -> tuple[Self, bool]:
        """Find a key in its token, or make it there if there is none; return it, and whether it was made.

        A key that is made here cannot be read out of the token.

        Raises:
            Pkcs11Error: As `open`, or the token cannot make such keys.
        """
        try:
            return cls.open(uri, tokens), False
        except Pkcs11Error as error:
            if error.sentence.code != "token_key_missing":
                raise
        tokens.run(uri, partial(_make, uri), writable=True)
        return cls.open(uri, tokens), True

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature (RFC 8032), verified."""
        if self._closed:
            raise KeyMaterialError("key_already_closed", kind=type(self).__name__)
        signature: bytes = self._tokens.run(self.uri, partial(_signed, self.uri, message))
        try:
            self.public.verify(signature, message)
        except SignatureError:
            raise Pkcs11Error("token_signature_wrong", token=self.uri.token_name, key=self.uri.key_name) from None
        return signature

    def check(self) -> None:
        """Look whether the key can be used."""
        if self._tokens.run(self.uri, partial(_found, self.uri)) != self.public:
            raise Pkcs11Error("token_key_changed", token=self.uri.token_name, key=self.uri.key_name)

    def can_be_read(self) -> bool:
        """Return whether the token would give the private key away; raises as `check` does."""
        return self._tokens.run(self.uri, partial(_readable, self.uri))

    def close(self) -> None:
        """Sign nothing more. The session stays: other keys may be in the token."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Pkcs11Key {self.public.short_fingerprint}>"


def _place(uri: KeyAddress) -> tuple[str, str, str]:
    return str(uri.module), uri.token, uri.serial


def _pin(uri: KeyAddress) -> SecretBytes:
    """Return the PIN in its file, without the end of the line.

    Raises:
        Pkcs11Error: The file cannot be read, is open to others, or holds no text. It is not `KeyMaterialError`, for
            which a node refuses a round: a token can be opened again.
    """
    try:
        content = read_secret(uri.pin).rstrip(b"\r\n")
        content.decode("utf-8")
    except (KeyMaterialError, StoreError) as error:
        raise Pkcs11Error(error.sentence) from None
    except UnicodeDecodeError:
        content = b""
    if not content:
        raise Pkcs11Error("token_pin_unreadable", file=str(uri.pin))
    return SecretBytes(content)


def _search(uri: KeyAddress, kind: str) -> dict[Foreign, Foreign]:
    """Return the attributes of the private or the public half of a key."""
    api = _library()
    wanted = {api.Attribute.CLASS: api.ObjectClass[kind], api.Attribute.KEY_TYPE: api.KeyType.EC_EDWARDS}
    if uri.label:
        wanted[api.Attribute.LABEL] = uri.label
    if uri.identifier:
        wanted[api.Attribute.ID] = uri.identifier
    return wanted


def _one(uri: KeyAddress, opened: TokenSession, kind: str) -> Foreign:
    """Return the private or the public half of a key; raises Pkcs11Error if there is none, or several."""
    found = list(opened.session.get_objects(_search(uri, kind)))
    names = {"token": uri.token_name, "key": uri.key_name}
    if not found:
        raise Pkcs11Error("token_key_missing", **names)
    if len(found) > 1:
        raise Pkcs11Error("token_key_ambiguous", **names)
    return found[0]


def _private(uri: KeyAddress, opened: TokenSession) -> Foreign:
    name = uri.label, uri.identifier
    if name not in opened.keys:
        opened.keys[name] = _one(uri, opened, "PRIVATE_KEY")
    return opened.keys[name]


def _signed(uri: KeyAddress, message: bytes, opened: TokenSession) -> bytes:
    return bytes(_private(uri, opened).sign(message, mechanism=_library().Mechanism.EDDSA))


def _found(uri: KeyAddress, opened: TokenSession) -> VerifyKey:
    """Return the public half of a key whose private half is there too."""
    opened.keys.clear()
    _private(uri, opened)
    point = bytes(_one(uri, opened, "PUBLIC_KEY")[_library().Attribute.EC_POINT])
    for wrapping in _POINTS:
        if point.startswith(wrapping) and len(point) == len(wrapping) + KEY_BYTES:
            with contextlib.suppress(MalformedError):
                return VerifyKey(point[len(wrapping) :])
    raise Pkcs11Error("token_key_not_ed25519", token=uri.token_name, key=uri.key_name)


def _readable(uri: KeyAddress, opened: TokenSession) -> bool:
    key, attributes = _private(uri, opened), _library().Attribute
    return bool(key[attributes.EXTRACTABLE]) or not key[attributes.SENSITIVE]


def _make(uri: KeyAddress, opened: TokenSession) -> None:
    """Make a key that cannot be read out of its token."""
    kinds, attributes = _library().KeyType, _library().Attribute
    curve = opened.session.create_domain_parameters(kinds.EC_EDWARDS, {attributes.EC_PARAMS: _ED25519}, local=True)
    hidden = {attributes.SENSITIVE: True, attributes.EXTRACTABLE: False}
    curve.generate_keypair(store=True, label=uri.label or None, id=uri.identifier or None, private_template=hidden)
