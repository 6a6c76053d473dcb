"""What a worker does with an item; the last digit of its key says how it goes wrong."""

from __future__ import annotations

import os
import time

KILLS_ITS_WORKER, HANGS, RAISES = 6, 7, 8


def deed(key: int) -> int:
    """Return the key, or never."""
    match key % 10:
        case 6:
            os._exit(1)
        case 7:
            time.sleep(3600)
        case 8:
            raise ValueError(f"{key} is a bad number")
    time.sleep(0.01)
    return key
