"""SHA-256 of many messages in one call: the inner loops of making inputs and the tags of shadow columns, in C.

The C files beside this one are the module `_digests`, which is absent where there was no compiler. What is joined to an
input `aquila.records.inputs` says, and `batch` has HMAC; both do the same without it.
docs/adr/0060-native-core.md says why.
"""
