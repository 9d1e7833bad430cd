"""SHA-256 of many joined values in one call: the inner loop of making inputs, in C.

The C files beside this one are the module `_digests`, which is absent where there was no compiler;
`aquila.records.inputs` says what is joined and does the same without it. docs/adr/0060-native-core.md says why.
"""
