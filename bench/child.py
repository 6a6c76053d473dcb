"""The other side of `stage.child`: one coroutine function on uvloop, JSON in, JSON out, dead when our parent is."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys

import uvloop

from daemon.pool_worker import die_with


def main() -> None:
    die_with(int(sys.argv[2]))
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever prints must not spoil the answer
    module, _, name = sys.argv[1].partition(":")
    function = getattr(importlib.import_module(module), name)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answer = runner.run(function(**json.load(sys.stdin)))
    with os.fdopen(answers, "w") as out:
        json.dump(answer, out)


if __name__ == "__main__":
    main()
