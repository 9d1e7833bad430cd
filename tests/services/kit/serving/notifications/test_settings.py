"""Settings of notifications that would send in the clear, to anybody, or a command of whoever's path comes first."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.kit.settings import MailSettings, NotificationSettings

MAIL = {"host": "smtp.ministry.example", "sender": "aquila@ministry.example"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"security": "none"}, "security needs starttls or tls"),
        ({"user": "node"}, "user and password_file come together"),
        ({"sender": "aquila@ministry.example\nBcc: all"}, "sender"),
        ({"sender": "aquila"}, "sender"),
        ({"host": ""}, "host"),
    ],
)
def test_mail_that_is_not_safe(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MailSettings(**(MAIL | changes))


def test_mail_in_the_clear_on_this_machine() -> None:
    mail = MailSettings(host="127.0.0.1", sender="aquila@ministry.example", security="none")
    assert mail.takes("ana@Ministry.example")
    assert not mail.takes("ana@other.example")
    assert MailSettings(**MAIL, domains=("other.example",)).takes("ana@other.example")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "address",
    [
        "ana@other.example,ana@ministry.example",
        "ana@other.example;ana@ministry.example",
        "<ana@other.example>ana@ministry.example",
        "(ana@other.example)@ministry.example",
        '"ana@other.example"@ministry.example',
        "ana@other.example@ministry.example",
        "ana%other.example@ministry.example",
        "ana!other@ministry.example",
        "ana@ministry.example\n",
        "@ministry.example",
        "ana@",
        "ana",
    ],
)
def test_more_than_one_address(address: str) -> None:
    """Whatever ends as an address of the domain and has another one in it is refused: mail would go there, too."""
    assert not MailSettings(**MAIL).takes(address)


@pytest.mark.parametrize("given", [{}, {"command": ("tell",)}])
def test_notifications_over_nothing(given: dict[str, Any]) -> None:
    """Neither mail nor a command, or a command that is searched for."""
    with pytest.raises(ValidationError):
        NotificationSettings(**given)
