"""The doctor: looks at a home and its surroundings, states faults with their remedies, and never changes anything."""
