"""The matcher's tables and their migrations."""
