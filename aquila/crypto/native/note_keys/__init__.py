"""The keys, marks and seals of many notes in one call: HKDF-SHA-512, AES-256 and AES-256-GCM-SIV, in C.

The C files beside this one are the module `_note_keys`, which is absent where there was no compiler, and cannot be used
where the processor has no instructions for AES; `aquila.crypto.sealing` says what is derived and sealed, and does the
same without it. docs/adr/0060-native-core.md says why.
"""
