"""Names, dates and identifiers in one form, so that two parties spell the same value alike.

The normalizer is versioned, and a digest over its answers to a conformance set goes into every round's manifest: two
parties match only if they normalize alike (PROTOCOL.md, records and match rules).
"""
