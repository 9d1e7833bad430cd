"""Texts for the justification of a query, which are data (`templates.toml`)."""

import tomllib
from functools import cache
from importlib import resources

from aquila.interface.queries import QueryTemplate


@cache
def templates() -> tuple[QueryTemplate, ...]:
    """Return the templates in the order of the file."""
    content = tomllib.loads(resources.files(__package__).joinpath("templates.toml").read_text("utf-8"))
    return tuple(QueryTemplate.model_validate(one) for one in content["templates"])
