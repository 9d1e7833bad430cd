"""`python -m tests.vectors.making` is `make vectors`: it writes `schemas/vectors/*.json`, the same bytes each time.

`python -m tests.generate --check` compares them.
"""

from tests.vectors.making.files import FOLDER, made

files = made()
for path in FOLDER.glob("*.json"):
    if path.name not in files:
        path.unlink()
for name, text in files.items():
    (FOLDER / name).write_text(text, encoding="utf-8")
