"""Dual control: a request takes effect after another person has approved exactly that content."""
