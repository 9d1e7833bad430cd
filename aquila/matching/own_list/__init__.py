"""A list looked at by its owner before it is submitted: persons in it twice, and how certain its hits can be."""
