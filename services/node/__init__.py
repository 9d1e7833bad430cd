"""The node of a contracting party: it calls the matcher, serves a local operator interface, and listens to nobody else.

Handlers store what the operator wants; one driver advances every round in small steps (`steps`), each of which starts
from what is stored and can be repeated after a crash at any line.
"""
