"""The templates of rounds that come with Aquila."""

from pathlib import Path

TEMPLATES_FILE = (Path(__file__).parents[2] / "deploy" / "samples" / "templates.toml").read_bytes()
