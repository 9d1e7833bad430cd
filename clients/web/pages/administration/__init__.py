"""Pages of those who run the service: accounts, the registry, the log."""
