"""Equal tokens joined and graded: the certainty that two records are the same person."""
