"""Parties and a secretariat, as `commanded_parties`, whose matcher answers only who shows a certificate."""

import shutil
from pathlib import Path

from tests.support import manual
from tests.support.authority import Authority
from tests.support.commanded_parties import CommandedParties

_CALLER_DAYS = 365


class CertifiedCallers(CommandedParties):
    """Some parties and the secretariat, who call with certificates of a CA of the secretariat."""

    def ask_for_certificates(self) -> Authority:
        """Let the matcher answer only who shows a certificate of the secretariat's CA, and return this CA."""
        of_party, of_matcher = manual.blocks("Callers' certificates", "toml")
        authority = Authority.create(self.root, "callers", _CALLER_DAYS)
        self.give_certificates(authority)
        for node in self.nodes:
            add_settings(node.home / "node.toml", of_party)
            self.admin(node.name).give("systemctl restart aquila-node")
        self.trust("callers")
        add_settings(self.stage.matcher.home / "matcher.toml", of_matcher)
        self.admin("matcher").give("systemctl restart aquila-matcher")
        self.stage.matcher.shown = (self.root / "officer.pem", self.root / "officer.key")
        return authority

    def give_certificates(self, authority: Authority) -> None:
        """Put a certificate of a CA in place for everybody who calls the matcher."""
        authority.issue("officer", days=_CALLER_DAYS)
        for name in self.stage.services:
            self.give_certificate(authority, name)

    def give_certificate(self, authority: Authority, name: str, days: float = _CALLER_DAYS) -> None:
        """Put a certificate in place for a service, which ends in some days or has ended."""
        authority.issue(name, days=days)
        for kind in ("pem", "key"):
            shutil.move(self.root / f"{name}.{kind}", self.stage.services[name].home / f"tls/caller.{kind}")

    def trust(self, *authorities: str) -> None:
        """Let the matcher take certificates of these CAs."""
        trusted = b"".join((self.root / f"{name}.pem").read_bytes() for name in authorities)
        (self.stage.matcher.home / "tls/callers.pem").write_bytes(trusted)


def add_settings(file: Path, block: str) -> None:
    text = file.read_text("utf-8")
    for part in block.strip().split("\n\n"):
        table, *lines = part.splitlines()
        assert text.count(f"{table}\n") == 1
        text = text.replace(f"{table}\n", "\n".join([table, *lines, ""]))
    file.write_text(text, "utf-8")
