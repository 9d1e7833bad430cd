"""Services as real processes of this machine, with their homes and people: for the demo and the bench."""
