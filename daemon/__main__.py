"""`sexton` and `python -m daemon`: exit 0 fine, 1 the operation failed, 2 bad usage or configuration."""

from __future__ import annotations

import os
import sys


def main() -> None:
    open_standard_streams()
    from daemon.cli.main import run

    sys.exit(run())


def open_standard_streams() -> None:
    """Lead the closed ones to /dev/null, or the next socket would get their number and what is printed to them."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - open until the process ends


if __name__ == "__main__":
    main()
