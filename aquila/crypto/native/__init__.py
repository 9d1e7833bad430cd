"""The fast backends: ristretto255 in C, for AVX-512 IFMA, for AVX2 and for any processor of 64 bits.

`batch` holds the `Group`. The C files are the modules `_ifma`, `_avx2` and `_portable`, which are absent where there
was no compiler. docs/adr/0060-native-core.md says how the C is laid out and why.
"""
