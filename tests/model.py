"""Asks ProVerif the queries of docs/model, and of mutants of the model, and compares its answers with those due.

Without ProVerif it says so and asks nothing: `python -m tests.model`, which `make explore` runs, in a minute.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "docs" / "model"
_SECONDS = 900


def due() -> dict[str, Any]:
    """Return the answers that are due, of files and of mutants."""
    return tomllib.loads((FOLDER / "answers.toml").read_text("utf-8"))


def mutated(mutant: dict[str, Any]) -> str:
    """Return the model with one thing changed."""
    model = (FOLDER / "aquila.pvl").read_text("utf-8")
    if model.count(mutant["old"]) != 1:
        raise ValueError(f"the model does not have this once: {mutant['what']}")
    return model.replace(mutant["old"], mutant["new"])


def _answers(program: str, model: str, file: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "model.pvl"
        library.write_text(model, "utf-8")
        command = [program, "-lib", library.as_posix(), (FOLDER / file).as_posix()]
        told = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False).stdout
    return re.findall(r"^RESULT (?!\().* (?:is (true|false)|cannot be proved)\.", told, re.MULTILINE)


def main() -> int:
    """Ask everything; returns how many answers are others than are due."""
    program = shutil.which("proverif")
    if program is None:
        print("The symbolic model in docs/model was NOT run: there is no program `proverif` here (2.05 was used).")
        return 0
    answers, wrong = due(), 0
    model = (FOLDER / "aquila.pvl").read_text("utf-8")
    cases = [("as it is", model, file, expected) for file, expected in answers["files"].items()]
    cases += [(one["what"], mutated(one), one["file"], one["answers"]) for one in answers["mutants"]]
    for what, text, file, expected in cases:
        found = _answers(program, text, file)
        wrong += found != expected
        print(f"{file}: {what}: {' '.join(found)}{'' if found == expected else ', due was ' + ' '.join(expected)}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
