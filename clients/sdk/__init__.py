"""The typed Python client of the operator interfaces of node and matcher."""
