"""HPKE with X-Wing whose randomness is given (PROTOCOL.md 4.6): what a library draws itself no vector could repeat.

ML-KEM-768's encapsulation is FIPS 203's, algorithms 7, 8, 9, 11, 14 and 17, slow and not in constant time. The keys are
public, so that nothing can be learned from it. Whoever opens what was sealed here encapsulates once more and compares.
"""

import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SUITE = b"HPKE" + bytes.fromhex("647a00010002")
"""X-Wing, HKDF-SHA-256, AES-256-GCM."""

Q, N, RANK = 3329, 256, 3
ZETAS = [pow(17, int(f"{place:07b}"[::-1], 2), Q) for place in range(128)]
Polynomial = list[int]


def seal(public: bytes, info: bytes, plaintext: bytes, randomness: bytes) -> bytes:
    """Return encapsulation and ciphertext; the first 32 bytes of the randomness are ML-KEM's, the others X25519's."""
    lattice, curve = public[:1184], public[1184:]
    shared, ciphertext = encapsulate(lattice, randomness[:32])
    private = X25519PrivateKey.from_private_bytes(randomness[32:])
    ephemeral = private.public_key().public_bytes_raw()
    exchanged = private.exchange(X25519PublicKey.from_public_bytes(curve))
    secret = hashlib.sha3_256(shared + exchanged + ephemeral + curve + b"\\.//^\\").digest()
    key, nonce = schedule(SUITE, secret, info)
    return ciphertext + ephemeral + AESGCM(key).encrypt(nonce, plaintext, None)


def schedule(suite: bytes, secret: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Return the key of 32 bytes and the base nonce of HPKE's base mode with HKDF-SHA-256 (RFC 9180, section 5.1)."""

    def extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
        return hmac.digest(salt, b"HPKE-v1" + suite + label + ikm, "sha256")

    context = b"\x00" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    made = extract(secret, b"secret", b"")

    def expand(label: bytes, length: int) -> bytes:
        labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + context
        return hmac.digest(made, labelled + b"\x01", "sha256")[:length]

    return expand(b"key", 32), expand(b"base_nonce", 12)


def encapsulate(key: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Return shared secret and ciphertext of ML-KEM-768 (ML-KEM.Encaps_internal)."""
    made = hashlib.sha3_512(message + hashlib.sha3_256(key).digest()).digest()
    return made[:32], _encrypt(key, message, made[32:])


def _encrypt(key: bytes, message: bytes, coins: bytes) -> bytes:
    rho = key[384 * RANK :]
    vector = [_decoded(key[384 * row : 384 * (row + 1)], 12) for row in range(RANK)]
    noise = [_centered(hashlib.shake_256(coins + bytes([number])).digest(128)) for number in range(2 * RANK + 1)]
    secret = [_ntt(one) for one in noise[:RANK]]
    rows = []
    for column in range(RANK):
        found = [0] * N
        for row in range(RANK):  # the transposed matrix
            found = _sum(found, _product(_sampled(rho + bytes([column, row])), secret[row]))
        rows.append(_sum(_inverse(found), noise[RANK + column]))
    last = [0] * N
    for row in range(RANK):
        last = _sum(last, _product(vector[row], secret[row]))
    bits = [(Q + 1) // 2 * bit for bit in _decoded(message, 1)]
    last = _sum(_sum(_inverse(last), noise[2 * RANK]), bits)
    return b"".join([*(_compressed(one, 10) for one in rows), _compressed(last, 4)])


def _ntt(given: Polynomial) -> Polynomial:
    found, place, length = given[:], 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta, place = ZETAS[place], place + 1
            for low in range(start, start + length):
                turned = zeta * found[low + length] % Q
                found[low + length], found[low] = (found[low] - turned) % Q, (found[low] + turned) % Q
        length //= 2
    return found


def _inverse(given: Polynomial) -> Polynomial:
    found, place, length = given[:], 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta, place = ZETAS[place], place - 1
            for low in range(start, start + length):
                before = found[low]
                found[low] = (before + found[low + length]) % Q
                found[low + length] = zeta * (found[low + length] - before) % Q
        length *= 2
    return [one * 3303 % Q for one in found]


def _product(left: Polynomial, right: Polynomial) -> Polynomial:
    found = [0] * N
    for place in range(0, N, 2):
        zeta = ZETAS[64 + place // 4] * (1 if place % 4 == 0 else -1)
        found[place] = (left[place] * right[place] + left[place + 1] * right[place + 1] * zeta) % Q
        found[place + 1] = (left[place] * right[place + 1] + left[place + 1] * right[place]) % Q
    return found


def _sum(left: Polynomial, right: Polynomial) -> Polynomial:
    return [(one + other) % Q for one, other in zip(left, right, strict=True)]


def _sampled(seed: bytes) -> Polynomial:
    """SampleNTT, with more bytes than it ever takes."""
    stream, found = hashlib.shake_128(seed).digest(1_344), []
    for start in range(0, len(stream), 3):
        first, second, third = stream[start : start + 3]
        found += [one for one in (first + 256 * (second % 16), second // 16 + 16 * third) if one < Q]
    return found[:N]


def _centered(octets: bytes) -> Polynomial:
    """SamplePolyCBD with eta 2."""
    bits = _bits(octets)
    return [(bits[at] + bits[at + 1] - bits[at + 2] - bits[at + 3]) % Q for at in range(0, 4 * N, 4)]


def _bits(octets: bytes) -> list[int]:
    return [octet >> place & 1 for octet in octets for place in range(8)]


def _decoded(octets: bytes, width: int) -> Polynomial:
    number = int.from_bytes(octets, "little")
    return [number >> width * place & (1 << width) - 1 for place in range(N)]


def _compressed(given: Polynomial, width: int) -> bytes:
    rounded = [((one << width) + Q // 2) // Q % (1 << width) for one in given]
    number = sum(one << width * place for place, one in enumerate(rounded))
    return number.to_bytes(N * width // 8, "little")
