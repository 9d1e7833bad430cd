"""A round over TLS, with a matcher whose certificate the nodes trust by file; plain HTTP is not spoken there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.support.process_world import World, paired_hits, rehearsed_hits, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.soak]


def test_a_round_over_tls(files: dict[str, Path], tmp_path: Path) -> None:
    """Nodes find the rehearsal's hits through TLS, and the matcher answers nobody who does not speak it."""
    (tmp_path / "world").mkdir()
    world = World(tmp_path / "world", tls=True)
    two = {code: files[code] for code in ("AL", "MK")}
    try:
        world.make(list(two))
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{world.matcher.port}/health", timeout=10)
        round_id = world.propose()
        world.consent(round_id)
        for node in world.nodes:
            world.submit(node, round_id, world.import_list(node, files[node.name]))
        world.wait_for_hits(round_id)
        assert paired_hits(world, round_id) == rehearsed_hits(two, tmp_path)
        world.close(round_id)
        _works_from_a_home_of_their_own(world, round_id)
    finally:
        world.stop()


def _works_from_a_home_of_their_own(world: World, round_id: str) -> None:
    """An officer with the address and the CA alone signs in once, and needs nothing of the service's home."""
    officer = world.person("officer")
    world.matcher.enrol("officer", ["secretariat"], officer, from_afar=True)
    assert round_id[:8] in run("round", "list", person=officer)
    assert "officer" in run("whoami", person=officer)
    own = {path.name for path in (officer / ".config/aquila").iterdir()}
    assert own == {"client.toml", "ca.pem"}
    run("logout", person=officer)
    assert not [path for path in (officer / ".local").rglob("*") if path.is_file()]
