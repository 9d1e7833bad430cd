"""Whether a node may consent or submit now is asked in one module, `services.node.rounds.requests`."""

import ast
from pathlib import Path

import services.node

NODE = Path(services.node.__file__).parent


def test_deadlines_of_consents_and_lists_are_read_in_one_module() -> None:
    """Requests, approvals, steps and the list of what needs a person ask its functions, not the manifest's window."""
    readers = {
        (node.attr, path.relative_to(NODE).as_posix())
        for path in NODE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"consent_by", "submit_by", "consent_wished"}
    }
    module = "rounds/requests.py"
    assert {one for one in readers if one[0] != "consent_wished"} == {("consent_by", module), ("submit_by", module)}
    # Apart from the table's query, only the step that gives a consent up touches what was requested.
    wished = {path for name, path in readers if name == "consent_wished"}
    assert wished == {module, "rounds/attention.py", "steps/consent.py"}
