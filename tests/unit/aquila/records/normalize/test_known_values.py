"""Values that are known are not worked out again, and no more are kept than may be."""

from aquila.records.rule_parts import KnownValues


def test_a_value_is_worked_out_once_and_not_kept_for_ever() -> None:
    """The third key of two forgets both, and each is worked out when it comes again."""
    asked: list[str] = []

    def work_out(key: str) -> str:
        asked.append(key)
        return key.upper()

    known = KnownValues(work_out, 2)
    assert [known[key] for key in "aabbcca"] == list("AABBCCA")
    assert asked == ["a", "b", "c", "a"]
    assert len(known) == 2
