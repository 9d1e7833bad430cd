"""Equal tokens joined, and graded: how certain it is that two records are the same person."""
