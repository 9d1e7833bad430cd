"""The cost of the steps of a round on this machine, per element and per record.

`docs/PERFORMANCE.md` explains the figures; `aquila bench` takes them.
"""
