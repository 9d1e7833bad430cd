"""The backends: ristretto255 in C, for AVX-512 IFMA, for AVX2 and for any processor of 64 bits.

`aquila.crypto.group` calls them. The C files are the modules `_ifma`, `_avx2` and `_portable`.
docs/adr/0060-native-core.md says how the C is laid out and why.
"""
