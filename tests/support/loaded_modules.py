"""What `loaded_program` loads before it forks services: to import this module does it, and nothing else is of use here.

What is there then is never looked through for garbage, neither here nor in the services.
"""

import gc

import services.matcher.main
import services.node.main  # noqa: F401 - loaded for those who are forked
import tests.support.loaded_program  # noqa: F401 - a forked process needs it too
from tests.support.commands import loaded_command

loaded_command()
gc.collect()
gc.freeze()
