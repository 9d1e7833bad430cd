"""`python -m tests.vectors.making` is `make vectors`: it writes `schemas/vectors/*.json`, the same bytes each time.

`python -m tests.generate --check` compares them.
"""

from tests.vectors.making.files import FOLDER, made

for path in FOLDER.glob("*.json"):
    path.unlink()
for name, text in made().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
