"""Step: sign a checkpoint over what is new in the log, and write its files (PROTOCOL.md 10.3)."""

from services.matcher.context import MatcherContext


def publish_log(context: MatcherContext) -> bool:
    """Publish the log. It waits for the next interval or wake-up whatever it did: a checkpoint covers many entries.

    Raises:
        LogRewrittenError: The files show another log than the database; nothing is signed.
    """
    context.log.own.publish()
    return False
