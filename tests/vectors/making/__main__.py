"""`python -m tests.vectors.making` is `make vectors`: it writes `schemas/vectors/*.json`, the same bytes each time."""

import sys

from tests.vectors.making.files import FOLDER, differing, made

if sys.argv[1:] == ["--check"]:
    sys.exit("\n".join(f"{name} is not what the code gives; run `make vectors`" for name in differing()))
FOLDER.mkdir(exist_ok=True)
for path in {one.name for one in FOLDER.glob("*.json")} - made().keys():
    (FOLDER / path).unlink()
for name, text in made().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
