"""Texts for codes: labels, log entries, confirmations and errors."""
