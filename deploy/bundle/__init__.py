"""Builds the bundle of a release: one archive from which a machine without a network installs Aquila."""
