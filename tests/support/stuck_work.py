"""A driver and workers that make no progress, as the report on health looks at them."""

import asyncio

from services.kit.serving.health.checks import HUNG_SECONDS
from services.kit.work.drivers import Driver
from services.kit.work.executors import ExecutorHandle


class StillDriver(Driver):
    """A driver whose step has taken a time that a test chose."""

    def __init__(self, seconds: float) -> None:
        async def step() -> bool:
            return False

        super().__init__("still", step)
        self._step_began = asyncio.get_running_loop().time() - seconds


class QuietWorkers(ExecutorHandle):
    """Workers whose last piece ended long ago."""

    quiet_seconds = 2.0 * HUNG_SECONDS
