"""What rounds and queries cost on this machine, in one process and among real services: `python -m tests.bench`."""
