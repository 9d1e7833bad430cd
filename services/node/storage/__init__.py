"""The node's tables, their migrations, and the high-water mark."""
