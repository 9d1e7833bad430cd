"""The operator interface of a node: its HTTP calls."""
