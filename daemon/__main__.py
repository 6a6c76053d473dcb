"""`sexton` and `python -m daemon`: exit 0 fine, 1 the operation failed, 2 bad usage or configuration."""

from __future__ import annotations

import sys


def main() -> None:
    from daemon.cli.main import run

    sys.exit(run())


if __name__ == "__main__":
    main()
