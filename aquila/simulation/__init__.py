"""A whole real round in one process: every party, the matcher and every cryptographic step, without a network.

It is what `aquila rehearse` runs, the world of the scenario tests, and the reference that the services must agree
with. The parties here are honest; tests make them lie by replacing one of their answers.
"""

from aquila.simulation.manifest import CHUNK_ELEMENTS, DEFAULT_PADDING, NO_PADDING, REHEARSED, Terms, make_manifest
from aquila.simulation.metrics import Measurements, Watch
from aquila.simulation.party_state import RehearsedHit, SimulatedParty
from aquila.simulation.round import Rehearsal
from aquila.simulation.sources import ListFile
