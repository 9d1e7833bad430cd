"""The verified state of a round, and the rules by which signed statements change it (PROTOCOL.md section 3)."""
