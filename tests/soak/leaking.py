"""The `aquila` command with a leak, to see that the soak finds one: `python -m tests.soak.leaking KIBIBYTES ...`.

The first word is how many KiB are kept in each second; the others are the command's.
"""

import os
import sys
import threading
import time

from clients.cli.main import main


def _leak(kibibytes: int) -> None:
    kept = []
    while True:
        kept.append(os.urandom(kibibytes << 10))
        time.sleep(1.0)


if __name__ == "__main__":
    threading.Thread(target=_leak, args=(int(sys.argv[1]),), daemon=True).start()
    sys.exit(main(sys.argv[2:]))
