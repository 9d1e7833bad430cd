"""The party's own records: imports, search, duplicates and erasure."""
