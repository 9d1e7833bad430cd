"""Property tests run without watching branches: others reach each branch, and watching doubles their time."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "property":
            item.add_marker(pytest.mark.no_cover)
