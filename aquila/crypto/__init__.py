"""Group arithmetic, the oblivious pseudorandom function with its proofs, keys, and signed or sealed bytes.

What needs randomness takes `random: Callable[[int], bytes]`; nothing here reads a clock, a file or the network, but
for loading libsodium.
"""
