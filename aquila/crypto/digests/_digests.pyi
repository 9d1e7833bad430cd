from typing import Any

def digest_records(
    rules: tuple[Any, ...], columns: tuple[Any, ...], records: int, portable: bool = ...
) -> tuple[bytes, bytes, bytes]: ...
def hmac_each(
    key: bytes | bytearray,
    prefix: bytes,
    lead: bytes,
    parts: Any,
    places: Any,
    width: int,
    count: int,
    taken: int,
    portable: bool = ...,
) -> bytes: ...
