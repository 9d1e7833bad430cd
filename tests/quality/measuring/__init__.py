"""How good the matching is: measured on labelled lists, beside its peers, with what each rule adds and tells.

Every reported pair of records counts, without one-to-one assignment. `plaintext_matching` is the
matching of a round without its masks; a test holds it against the rehearsal, hit by hit.
"""
