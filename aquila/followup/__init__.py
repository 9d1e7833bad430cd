"""After a hit: what an analyst does with it, which clocks run, and the letter that asks. No I/O, no person data."""
