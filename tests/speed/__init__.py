"""The cost of a round compared with that of the fastest peer, in one run on one machine."""
