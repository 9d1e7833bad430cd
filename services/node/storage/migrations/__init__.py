"""The node's migrations, in order; a merged one is never edited."""
