"""The soak: rounds of many processes under faults for an hour, as a program, and tests of its judgement."""
