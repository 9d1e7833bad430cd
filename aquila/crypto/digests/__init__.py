"""SHA-256 of many messages in one call: the inner loops of making inputs and the tags of shadow columns, in C.

`aquila.records.inputs` says what is joined to an input, `aquila.crypto.hashing` has HMAC, and
docs/adr/0060-native-core.md says why this is in C.
"""
