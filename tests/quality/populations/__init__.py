"""A second generator of labelled lists, by another design than `clients.people`.

Names follow Zipf's law over thousands of family names for each culture, persons live in families, and each record
comes about by one of five sources with faults of its own. Nothing in the matching was fitted on these lists.
"""

from tests.quality.populations.lists import Population, populated_lists, strangers

__all__ = ["Population", "populated_lists", "strangers"]
