"""The protocol of a round: messages, the trusted record of a round, and the roles of party and matcher, without I/O."""
