"""The lifecycle of a hit at one party: which steps follow which, and which clocks run. No I/O, no person data."""
