"""Others' clients: what generators make of our OpenAPI documents, and every example of docs/INTEGRATING.md.

The examples are run as they are written, by curl, by a client that openapi-python-client made, and by the project's own
client, against the node of a party that has hits in one round and a list to submit in another.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.loaded_program import LOADED
from tests.support.process_world import World

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
OPENAPI = ROOT / "schemas" / "openapi"
PAGE = (ROOT / "docs" / "INTEGRATING.md").read_text("utf-8")
GENERATORS = ROOT / ".venv-clients" / "bin"
NODE_MODULES = ROOT / "tests" / "interop" / "node_modules"
SERVICES = ("node", "matcher")
COMMON = "".join(f"X-{n},{given},Hoxha,198{n}-03-12\n" for n, given in enumerate(("Ardit", "Besnik", "Mira", "Agim")))


def examples(heading: str) -> list[tuple[str, str]]:
    """Return language and text of each block of a section."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)


def generate(service: str, folder: Path) -> None:
    """Let openapi-python-client make a package; a warning is a failure."""
    document, config = OPENAPI / f"{service}.json", OPENAPI / "python-client.yaml"
    words = ["--path", str(document), "--config", str(config), "--meta", "none", "--output-path", f"aquila_{service}"]
    run([str(GENERATORS / "openapi-python-client"), "generate", *words, "--fail-on-warning"], folder, {})


def run(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    """Run a program and return what it printed; the words of a failure are shown."""
    path = os.pathsep.join([str(GENERATORS), str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | {"PATH": path} | environment,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two parties with hits in a first round."""
    folder = tmp_path_factory.mktemp("world")
    made = World(folder, program=LOADED, frugal=True)
    try:
        made.make(["AL", "RS"])
        round_id = made.propose()
        made.consent(round_id)
        for node in made.nodes:
            path = folder / f"{node.name}.csv"
            path.write_text("record_id,given_names,family_names,date_of_birth\n" + COMMON, encoding="utf-8")
            made.submit(node, round_id, made.import_list(node, path))
        made.wait_for_hits(round_id)
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def work(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a program works, with its tokens and a list."""
    folder = tmp_path_factory.mktemp("work")
    shutil.copy(world.root / "AL.csv", folder / "list.csv")
    for name in ("node.json", "python-client.yaml"):
        shutil.copy(OPENAPI / name, folder)
    ((_, block),) = examples("An account for the program")
    run(["bash", "-euo", "pipefail", "-c", block], folder, {"AQUILA_HOME": str(world.services["AL"].home)})
    return folder


def environment(world: World) -> dict[str, str]:
    """Return what an example goes by: the node, and a round of its own that is open."""
    round_id = world.propose(mode="lists_and_queries")
    world.consent(round_id)
    world.until(lambda: world.is_open(world.services["AL"], round_id))
    return {"NODE": world.services["AL"].url, "ROUND": round_id}


def decided(world: World) -> int:
    found: dict[str, Any] = world.services["AL"].ask("GET", "/v1/hits")
    return sum(hit["decision"] == "same" and hit["stage"] == "follow_up" for hit in found["hits"])


def waiting(world: World, round_id: str) -> list[str]:
    found = world.services["AL"].ask("GET", "/v1/approvals")["approvals"]
    return sorted(one["kind"] for one in found if one["round_id"] == round_id and one["state"] == "waiting")


def check_done(world: World, round_id: str, before: int, printed: str) -> None:
    """A list and a query wait for a second person, one more hit is decided, and the letter was fetched."""
    assert len(waiting(world, round_id)) == 2
    assert decided(world) == before + 1
    assert "AL-" in printed


def test_the_examples_with_curl(world: World, work: Path) -> None:
    where, before = environment(world), decided(world)
    blocks = [text for _, text in examples("With curl")]
    assert len(blocks) == 5
    for text in blocks[:2]:  # as after an answer that got lost
        run(["bash", "-euo", "pipefail", "-c", text], work, where)
    printed = run(["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], work, where)
    check_done(world, where["ROUND"], before, printed)


def test_the_example_with_a_generated_client(world: World, work: Path) -> None:
    where, before = environment(world), decided(world)
    (_, command), (_, program) = examples("With a generated client")
    run(["bash", "-euo", "pipefail", "-c", command], work, {})
    printed = run([str(GENERATORS / "python"), "-c", program], work, where | {"PYTHONPATH": str(work)})
    check_done(world, where["ROUND"], before, printed)


def test_the_example_with_our_own_client(world: World, work: Path) -> None:
    where, before = environment(world), decided(world)
    ((_, program),) = examples("With the project's own client")
    printed = run([sys.executable, "-c", program], work, where)
    check_done(world, where["ROUND"], before, printed)


@pytest.mark.parametrize("service", SERVICES)
def test_a_python_client_is_made_of_the_whole_document(service: str, tmp_path: Path) -> None:
    """It has every operation, all of it can be imported, and an answer may have members that it does not know."""
    generate(service, tmp_path)
    package = tmp_path / f"aquila_{service}"
    named = {path.stem for path in package.glob("api/*/*.py")} - {"__init__"}
    paths = json.loads((OPENAPI / f"{service}.json").read_text("utf-8"))["paths"]
    assert named == {one["operationId"] for methods in paths.values() for one in methods.values()}
    program = (
        "import pathlib, importlib\n"
        f"for path in pathlib.Path('aquila_{service}').rglob('*.py'):\n"
        "    importlib.import_module('.'.join(path.with_suffix('').parts).removesuffix('.__init__'))\n"
        f"from aquila_{service}.models import SignInWays\n"
        "SignInWays.from_dict({'password': True, 'provider': False, 'set_up': True, 'new': 1})\n"
    )
    run([str(GENERATORS / "python"), "-c", program], tmp_path, {"PYTHONPATH": str(tmp_path)})


@pytest.mark.parametrize("service", SERVICES)
def test_types_are_made_of_the_whole_document(service: str, tmp_path: Path) -> None:
    """By openapi-typescript; they are sound, and know each operation and the states of an account."""
    made = tmp_path / f"{service}.d.ts"
    run(
        ["node", f"{NODE_MODULES}/openapi-typescript/bin/cli.js", str(OPENAPI / f"{service}.json"), "-o", str(made)],
        tmp_path,
        {},
    )
    use = tmp_path / "use.ts"
    use.write_text(
        f'import type {{ components, operations }} from "./{service}";\n'
        'export const state: components["schemas"]["AccountState"] = "active";\n'
        "// @ts-expect-error it is none\n"
        'export const wrong: components["schemas"]["AccountState"] = "sleeping";\n'
        'export type Answer = operations["get_accounts"]["responses"][200]["content"]["application/json"];\n'
    )
    run(["node", f"{NODE_MODULES}/typescript/bin/tsc", "--noEmit", "--strict", str(made), str(use)], tmp_path, {})
