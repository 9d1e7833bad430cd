"""Records of persons: read, normalized, and turned into the inputs of match rules."""
