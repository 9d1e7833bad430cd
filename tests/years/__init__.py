"""Services after years of use, measured: how they start, what they cost at rest, and what their pages cost."""
