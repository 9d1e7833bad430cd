"""The address of a key in a PKCS#11 token: a `pkcs11:` URI (RFC 7512) with the module and the file of the PIN.

An address holds no secret: a PIN within it is refused. So it lies in the file of the identity key, in place of the key,
and in backups. It is read in one way alone; whatever is not used here is refused, since a misread attribute could lead
to another key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import quote, unquote_to_bytes

from aquila.errors import KeyMaterialError

SCHEME = "pkcs11:"
_PATH = frozenset({"token", "serial", "object", "id", "type"})
_QUERY = frozenset({"module-path", "pin-source"})
_PIN = frozenset({"pin-value"})
_ATTRIBUTE = re.compile(r"([a-z][a-z-]{0,31})=((?:[\x21-\x24\x26-\x7e]|%[0-9A-Fa-f]{2})+)")
_LONGEST = 4_096


@dataclass(frozen=True, slots=True)
class KeyAddress:
    """The address of one key.

    Attributes:
        text: As it was given.
        module: The token's PKCS#11 library.
        pin: The file with the PIN of the token's user.
        token: The token's label, or nothing.
        serial: Its serial number, or nothing.
        label: The key's label, or nothing.
        identifier: The key's identifier (`CKA_ID`), or nothing.
    """

    text: str
    module: Path
    pin: Path
    token: str
    serial: str
    label: str
    identifier: bytes

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

        Raises:
            KeyMaterialError: 1, 2 or 3 does not hold.
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


def address(token: str, label: str, module: Path, pin: Path) -> str:
    """Return the text of an address.

    Args:
        token: The token's label.
        label: The key's label.
        module: The token's PKCS#11 library.
        pin: The file with the PIN.
    """
    return (
        f"{SCHEME}token={quote(token, safe='')};object={quote(label, safe='')}"
        f"?module-path={quote(str(module))}&pin-source=file:{quote(str(pin))}"
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
