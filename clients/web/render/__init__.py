"""Charts as SVG and papers as PDF."""
