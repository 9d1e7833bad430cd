"""Sentences of `crypto`."""

from __future__ import annotations

from typing import Final

from aquila.sentences.sentence import Table, Text

CRYPTO: Final[Table] = {
    "batch_length_no_multiple": Text("a batch of {what} must be a multiple of {width} bytes"),
    "batch_lengths_differ": Text("two batches that belong together differ in length"),
    "c_extension_not_built": Text(
        "the backend {backend} was not built here",
        "install with a C compiler; only x86-64 processors have ifma and avx2",
    ),
    "domain_separation_tag_length_wrong": Text("a domain separation tag has 1 to 255 bytes"),
    "ed25519_key_not_32_bytes": Text("an Ed25519 public key has 32 bytes"),
    "ed25519_key_not_canonical": Text("an Ed25519 public key is not in its canonical encoding"),
    "ed25519_key_small_order": Text("an Ed25519 public key has small order"),
    "element_not_ristretto255": Text(
        "the bytes at position {index} are not a ristretto255 element, or they are the identity"
    ),
    "envelope_key_unknown": Text("an envelope is signed by a key that is not known here"),
    "envelope_malformed": Text("these bytes are not an envelope with one signature"),
    "envelope_not_canonical_or_unexpected": Text(
        "an envelope is not canonical, or of a type that is not expected here"
    ),
    "envelope_too_long": Text("an envelope is too long"),
    "envelope_type_unexpected": Text("an envelope is of a type that is not expected here"),
    "evaluation_proof_not_verified": Text("a proof of evaluation does not verify"),
    "exchange_key_small_order": Text("an exchange key has small order"),
    "finalize_operands_missing": Text("FinalizeOperands needs own elements with a share, or evaluations"),
    "identity_key_not_ed25519": Text(
        "an identity key must be an Ed25519 key",
        "bring the right file from the safe, or correct the setting `identity`",
    ),
    "identity_key_unreadable": Text("an identity key cannot be read", "it must be unencrypted PEM"),
    "integers_not_multiple_of_64": Text("integers to reduce must be a multiple of 64 bytes"),
    "key_already_closed": Text("this {kind} is closed"),
    "key_not_copyable": Text("a {kind} is neither pickled nor copied"),
    "knowledge_proof_not_verified": Text("a proof of knowledge does not verify"),
    "libsodium_missing": Text(
        "neither the system nor the package {package} has libsodium",
        "install the system's libsodium (Debian: libsodium23), or the pinned requirements",
    ),
    "libsodium_not_initialized": Text("libsodium, {origin}, cannot be initialized"),
    "libsodium_package_unexpected": Text(
        "the package {package} does not hold libsodium as expected",
        "install the system's libsodium (Debian: libsodium23), or the pinned requirements",
    ),
    "messages_not_whole": Text("messages must be a whole number of messages of at least one byte"),
    "nonce_not_32_bytes": Text("the nonce needs 32 fresh bytes"),
    "oblivious_input_too_long": Text("an input of the oblivious function has at most 65,535 bytes"),
    "outputs_not_multiple_of_64": Text("outputs must be a multiple of 64 bytes"),
    "processor_feature_missing": Text("the processor lacks {listed}", "use another backend"),
    "proof_inputs_missing": Text("a proof needs at least one input, and an output for each"),
    "proof_scalars_not_canonical": Text("a proof must be two canonical scalars of 32 bytes"),
    "public_key_not_64_digits": Text("a public key must be 64 lower-case hexadecimal digits"),
    "round_key_not_32_bytes": Text("a round key has 32 bytes"),
    "scalar_out_of_range": Text("the scalar at position {index} is zero or not below the group's order"),
    "sealed_batch_not_opened": Text("a sealed batch does not open"),
    "sealed_note_not_opened": Text("a sealed note does not open"),
    "sealed_stream_changed": Text(
        "the sealed file was changed, or its end is missing, at piece {number}", "use another copy of the file"
    ),
    "sealed_stream_for_another_key": Text(
        "the file is sealed to the key {expected}, and this is the key {got}", "use the private key of that name"
    ),
    "sealed_stream_missing": Text("this is not a sealed file of Aquila, or its beginning is missing"),
    "sealing_key_not_x_wing": Text("a sealing key is not an X-Wing key"),
    "secret_key_not_32_bytes": Text("a secret key has 32 bytes"),
    "share_key_not_32_bytes": Text("a share's public key has 32 bytes"),
    "share_malformed": Text("these bytes are not a share"),
    "signature_not_verified": Text("a signature does not verify"),
    "stored_secret_not_opened": Text(
        "a stored secret does not open", "the round's key was replaced, or the stored bytes were changed"
    ),
    "stream_not_whole_blocks": Text("a stream gives whole blocks of 16 bytes"),
    "thread_count_too_small": Text("at least one thread is needed"),
    "transcript_part_too_long": Text("a part of a transcript is too long for its length field"),
    "weighted_sum_empty": Text("a weighted sum needs at least one element"),
}
