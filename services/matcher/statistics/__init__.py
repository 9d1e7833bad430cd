"""Published statistics: rounded counts of rounds that ended (docs/STATISTICS.md)."""
