"""Notifications: the work that waits for a person, when it is reported to whom, and over which channel."""
