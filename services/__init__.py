"""The services: a node for each party, the matcher of the secretariat, and what both share."""
