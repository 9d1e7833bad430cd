"""The matcher's HTTP calls."""
