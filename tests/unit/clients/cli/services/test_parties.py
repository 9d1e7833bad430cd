"""Making homes, printing one's own card, registering those of others."""

import json
import secrets
from pathlib import Path

import pytest

from aquila.crypto.keys import IdentityKey
from aquila.interface.service.party import RegistryPartyView, RegistryStatementView, RegistryView
from aquila.protocol.registration.self_signed import Invitation, open_renewal, sign_file
from aquila.protocol.registration.spoken_words import spoken
from aquila.protocol.registration.templates import read_templates
from aquila.protocol.registry import read_registry
from clients.cli.exit_codes import ExitCode
from clients.cli.main import main
from clients.cli.output.registry_views import changes, show_registry
from clients.cli.output.screen import Screen
from tests.support.sample_templates import TEMPLATES_FILE


def test_exchange_of_cards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Homes are made, cards written and registered; a changed key is refused."""
    matcher, node, card = str(tmp_path / "m"), str(tmp_path / "n"), tmp_path / "matcher.card"
    assert main(["matcher", "init", "--home", matcher]) == 0
    assert (
        main(["node", "init", "--home", node, "--code", "SI", "--name", "Slovenia", "--matcher", "http://127.0.0.1:1"])
        == 0
    )
    assert main(["party", "card", "--home", matcher, "--out", str(card)]) == 0
    capsys.readouterr()
    assert main(["party", "card", "--home", node, "--json"]) == 0
    own = json.loads(capsys.readouterr().out)
    (tmp_path / "si.card").write_text(
        f'[[party]]\ncode = "SI"\nname = "Slovenia"\nidentity_key = "{own["identity_key"]}"\n'
    )
    assert main(["party", "register", str(card), str(tmp_path / "si.card"), "--home", node, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["new"] == 2
    registry = read_registry((tmp_path / "n" / "registry.toml").read_bytes())
    assert registry.parties["SI"].key.fingerprint == own["fingerprint"]
    assert main(["party", "register", str(card), "--home", node]) == 0
    assert "0 new entries" in capsys.readouterr().out
    assert main(["matcher", "init", "--home", str(tmp_path / "other")]) == 0
    assert main(["party", "card", "--home", str(tmp_path / "other"), "--out", str(card)]) == 0
    assert main(["party", "register", str(card), "--home", node]) == 1
    assert "another key" in capsys.readouterr().err


def invite(folder: Path) -> Path:
    file = folder / "si.invite"
    with IdentityKey.generate(secrets.token_bytes) as key:
        invitation = Invitation(
            invitation_id="00" * 16,
            party="SI",
            name="Slovenia",
            matcher_key=key.public.hex,
            url="https://matcher.example.org:8700",
            ca=None,
            expires_at=1 << 33,
        )
        file.write_bytes(sign_file(invitation, key))
    return file


def test_a_party_joins_only_where_its_request_can_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, file = tmp_path / "n", invite(tmp_path)
    words = ["node", "join", str(file), "--home", str(home), "--out"]
    assert main([*words, str(tmp_path / "nowhere/si.join")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert not home.exists()
    assert main([*words, str(tmp_path / "si.join")]) == 0
    assert (tmp_path / "si.join").exists()


def test_a_new_identity_key_and_its_renewal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command makes the key once, writes the file, and shows the words; a lost key does not sign."""
    matcher, node = str(tmp_path / "m"), str(tmp_path / "n")
    assert main(["matcher", "init", "--home", matcher]) == 0
    assert (
        main(["node", "init", "--home", node, "--code", "SI", "--name", "Slovenia", "--matcher", "http://127.0.0.1:1"])
        == 0
    )
    for home in (matcher, node):
        assert main(["party", "card", "--home", home, "--out", f"{home}.card"]) == 0
    assert main(["party", "register", f"{matcher}.card", f"{node}.card", "--home", node]) == 0
    out = tmp_path / "si.renewal"
    capsys.readouterr()
    assert main(["node", "renew-identity", "--home", node, "--out", str(out), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    renewal = open_renewal(out.read_bytes())
    assert (first["words"], first["revokes"]) == (list(spoken(renewal.digest).words), False)
    out.unlink()
    assert main(["node", "renew-identity", "--home", node, "--out", str(out), "--lost"]) == 0
    assert "aquila party accept" in capsys.readouterr().out
    revocation = open_renewal(out.read_bytes())
    assert (revocation.key, revocation.by_both) == (renewal.key, False)


def test_a_home_renews_its_own_ca(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    node, plain, matcher = tmp_path / "n", tmp_path / "p", tmp_path / "m"
    join = ["node", "join", str(invite(tmp_path)), "--out", str(tmp_path / "si.join"), "--home"]
    assert main([*join, str(node), "--public-url", "https://node.si.example:8701"]) == 0
    assert main([*join, str(plain)]) == 0
    assert main(["matcher", "init", "--home", str(matcher)]) == 0
    before = {path.name: path.read_bytes() for path in (node / "tls").iterdir()}
    capsys.readouterr()
    assert main(["node", "renew-ca", "--home", str(node), "--json"]) == 0
    assert "valid_until" in json.loads(capsys.readouterr().out)
    after = {path.name: path.read_bytes() for path in (node / "tls").iterdir()}
    assert {name for name, content in before.items() if after[name] != content} == set(after)
    settings = node / "node.toml"
    settings.write_text(settings.read_text().replace('ca = "tls/ca.pem"', 'ca = "/etc/house.pem"'))
    for home in (node, plain):
        assert main(["node", "renew-ca", "--home", str(home)]) == ExitCode.MACHINE
        assert "does not hold a CA" in capsys.readouterr().err
    assert main(["node", "renew-ca", "--home", str(matcher)]) == ExitCode.REFUSED  # whose parties have to know it
    assert after == {path.name: path.read_bytes() for path in (node / "tls").iterdir()}


def test_a_matcher_does_not_move_into_the_clear(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matcher", "init", "--home", str(tmp_path)]) == 0
    words = ["matcher", "move", "--home", str(tmp_path), "--public-url", "http://matcher.example.org"]
    assert main(words) == ExitCode.REFUSED
    assert "https" in capsys.readouterr().err


def test_changes_of_keys_are_said_in_capitals_where_they_are_dangerous(capsys: pytest.CaptureFixture[str]) -> None:
    party = RegistryPartyView(
        party="SI", name="Slovenia", identity_fingerprint="ab" * 32, left=False, accepted=None, differs=False
    )
    statement = RegistryStatementView(
        number=2,
        digest="ab" * 32,
        made_at=0,
        words=("a",),
        digits=("1",),
        url="https://m.example",
        parties=(party,),
        joined=(),
        left=(),
        replaced=(),
        revoked=("SI",),
        moved=False,
    )
    Screen(as_json=False).show(*changes(statement), *changes(statement.model_copy(update={"replaced": ("SI",)})))
    shown = capsys.readouterr()
    assert "SI HAS A NEW IDENTITY KEY WITHOUT THE SIGNATURE" in shown.out + shown.err
    assert "its old key signed for it" in shown.out + shown.err
    view = RegistryView(parties=(party,), in_force=None, waiting=None, obstacle=None, restart_needed=True)
    show_registry(Screen(as_json=False), view, "")
    assert "Restart the service" in capsys.readouterr().out


def test_words_are_shown_beside_who_joins_and_leaves(capsys: pytest.CaptureFixture[str]) -> None:
    parties = tuple(
        RegistryPartyView(
            party=code, name=name, identity_fingerprint="ab" * 32, left=code == "RS", accepted=None, differs=False
        )
        for code, name in (("QZ", "Phantom"), ("RS", "Serbia"), ("SI", "Slovenia"))
    )
    statement = RegistryStatementView(
        number=2,
        digest="ab" * 32,
        made_at=0,
        words=("a",),
        digits=("1",),
        url="https://m.example",
        parties=parties,
        joined=("QZ",),
        left=("RS",),
        replaced=(),
        revoked=(),
        moved=False,
    )
    view = RegistryView(parties=parties, in_force=statement, waiting=None, obstacle=None, restart_needed=False)
    show_registry(Screen(as_json=False), view, "")
    shown = capsys.readouterr().out
    Screen(as_json=False).show(*changes(statement))
    read = capsys.readouterr()
    for text in (shown, read.out + read.err):
        assert "QZ JOINS: Phantom, with the identity key abab" in text
        assert "RS LEAVES: Serbia." in text
        assert "SI JOINS" not in text
        assert "They do not show that a party in it exists" in text


def test_all_that_is_accepted_with_a_template() -> None:
    """Who accepts a registry reads each field of it and each wording."""
    template = next(one for one in read_templates(TEMPLATES_FILE) if one.indicators)
    template = template.model_copy(update={"pairs": (("AL", "RS"), ("AL", "SI"))})
    statement = RegistryStatementView(
        number=2,
        digest="ab" * 32,
        made_at=0,
        words=("a",),
        digits=("1",),
        url="https://m.example",
        parties=(),
        joined=(),
        left=(),
        replaced=(),
        revoked=(),
        moved=False,
        templates=(template,),
    )
    text = "\n".join(one for one in changes(statement) if isinstance(one, str))
    assert f"Template {template.template_id}, number 1:" in text
    for name in type(template).model_fields:
        assert name in {"template_id", "version", "wordings"} or f"    {name.replace('_', ' ')}: " in text
    assert "pairs: AL-RS, AL-SI" in text
    assert f"days: consent {template.days.consent}, submit" in text
    for words in template.wordings:
        assert f"in {words.language}: {words.title}; {words.area}; {words.legal_basis}; {words.purpose}" in text
