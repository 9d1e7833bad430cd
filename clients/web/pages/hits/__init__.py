"""Hits: their list, in which they are decided, its export, and one hit with all that is done with it."""
