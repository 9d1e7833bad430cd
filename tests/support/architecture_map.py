"""What is generated of `docs/ARCHITECTURE.md`: the map of the folders, and the steps of a round at a node.

The map has packages with the sentences with which they open, and the order of each part by import-linter's contracts
in `pyproject.toml`. The steps are those that a node's driver takes. The rest of the document is written by hand.
"""

import ast
import tomllib
from pathlib import Path

from services.node.rounds.due_steps import Piece
from services.node.steps.advance import STEPS

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "ARCHITECTURE.md"
PARTS = {
    "aquila": ("The core", "The core is layered"),
    "services": ("Services", ""),
    "services/node": ("The node", "A node is layered"),
    "services/matcher": ("The matcher", "The matcher is layered"),
    "services/kit": ("The kit", "The kit is layered"),
    "clients": ("Clients", "Clients are layered"),
    "clients/cli": ("The command", "The command is layered"),
    "clients/web": ("The pages", "The pages are layered"),
}
"""Title and contract of each part, by its folder; a package belongs to the deepest part that contains it."""

_BEGIN = "<!-- from here to the next comment: written by `make schemas` -->\n"
_END = "<!-- end of what `make schemas` writes -->\n"


def document() -> str:
    text, rest = "", DOCUMENT.read_text(encoding="utf-8")
    for part in (_map(), _steps()):
        before, _, rest = rest.partition(_BEGIN)
        text, rest = text + before + _BEGIN + part + _END, rest.partition(_END)[2]
    return text + rest


def _steps() -> str:
    """Return the table of a round's steps at a node: what each does, and what there may be to do in it."""
    text = "\n| step | what it does | what the store says of its work |\n|---|---|---|\n"
    for step, function in STEPS.items():
        sentence = " ".join((function.__doc__ or "").partition("\n\n")[0].split())
        pieces = "; ".join(piece.when for piece in Piece if piece.step is step)
        text += f"| **{step}** | {sentence} | {pieces} |\n"
    return text + "\n"


def packages(root: Path = ROOT) -> list[str]:
    """Return the folders of all packages, relative to the project, in the order of the alphabet."""
    return sorted(
        path.parent.relative_to(root).as_posix()
        for top in ("aquila", "services", "clients")
        for path in (root / top).rglob("__init__.py")
    )


def _map() -> str:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    layers = {one["name"]: one["layers"] for one in contracts if one["type"] == "layers"}
    rooms: dict[str, list[str]] = {part: [] for part in PARTS}
    for package in packages():
        rooms[max((part for part in PARTS if f"{package}/".startswith(f"{part}/")), key=len)].append(package)
    text = ""
    for part, (title, contract) in PARTS.items():
        order = [layer.replace(f"{part.replace('/', '.')}.", "") for layer in layers.get(contract, ())]
        text += f"\n### {title}: `{part}/`\n\n"
        text += f"Order, from the top: `{' > '.join(order)}`\n\n" if order else ""
        text += "| package | what it holds |\n|---|---|\n"
        text += "".join(f"| `{package}` | {_sentence(ROOT / package)} |\n" for package in rooms[part])
    return text + "\n"


def _sentence(package: Path) -> str:
    """Return the first paragraph of a package's docstring."""
    found = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or ""
    return " ".join(found.partition("\n\n")[0].split()).replace("|", "\\|")
