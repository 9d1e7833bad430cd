"""Languages: catalogues of messages, their choice and their upkeep."""
