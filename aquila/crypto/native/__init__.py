"""The fast backend: ristretto255 in C, eight elements per AVX-512 vector.

`batch` holds the `Group`; the C files beside it are the module `_core`, which is absent where there was no compiler.
docs/adr/0008-native-core.md says how the C is laid out and why.
"""
