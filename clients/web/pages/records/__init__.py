"""Pages of the party's own records: lists, a search, one record and its correction."""
