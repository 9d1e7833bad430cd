"""A contracting party's node: outgoing calls to the matcher, and a local operator interface. It listens to nobody else.

Handlers store what the operator wants; one driver advances every round in small steps (`steps`), each of which starts
from what is stored and can be repeated after a crash at any line.
"""
