"""The cost of a round on this machine: each step, each record, the join, and whole rounds as they grow.

`docs/PERFORMANCE.md` explains the figures; `aquila bench` takes them.
"""
