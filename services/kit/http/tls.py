"""The TLS side of a caller: TLS 1.3, the peer's CA, and the own certificate where the peer asks for one."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from aquila.errors import InputError
from services.kit.storage.files import check_private

if TYPE_CHECKING:
    from services.kit.settings import PeerSettings


def tls_context(settings: PeerSettings) -> ssl.SSLContext:
    """Return the TLS 1.3 side of a caller: the peer's CA, and the client certificate if there is one.

    Raises:
        InputError: A file is missing or is no certificate or key.
        KeyMaterialError: The key is open to others.
    """
    if settings.key is not None:
        check_private(settings.key)
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if settings.certificate is not None:
            context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            "peer_certificate_or_key_unreadable", url=settings.url, fault=error.strerror or type(error).__name__
        ) from None
    return context
