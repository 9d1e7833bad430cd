"""The protocol of a round: messages, the verified state of a round, and the roles of party and matcher, without I/O."""
