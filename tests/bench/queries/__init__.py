"""The latency of queries among real services on this machine, with and without a bad network, and what idling costs."""
