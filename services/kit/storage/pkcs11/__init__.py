"""PKCS#11 tokens: the address of an identity key in one, and the key itself, which signs there."""
