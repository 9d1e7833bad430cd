"""Steps that drivers repeat: each reads the stored state, does one piece, and returns whether there was any."""
