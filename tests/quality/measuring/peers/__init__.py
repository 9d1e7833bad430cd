"""Peers that the matching is compared with; each script runs in the environment of requirements/quality.txt.

A script reads {"lists": {party: [row, ...]}} from the file that it is given, and writes {"peer": name and version,
"pairs": [[party, record id, party, record id, likeness], ...]} to stdout. A row is record id, given names, family
names, date of birth, place of birth, nationality; places and nationalities are compared where a list has any.
"""
