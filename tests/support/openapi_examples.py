"""An example of every JSON body that the operator interfaces take, by the name of its schema; all of them invented."""

import json
from pathlib import Path
from typing import Any

EXAMPLES: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
