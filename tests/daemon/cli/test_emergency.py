"""`sexton stop-all` and `sexton resume-all`."""

from __future__ import annotations

from tests.daemon.cli.console import Console


def test_everything_is_stopped_shown_and_goes_on(sexton: Console) -> None:
    done = sexton("stop-all", "--reason", "wrong rates").ok()
    assert done.out == "everything is stopped; nothing was running\n"
    assert "sexton resume-all" in done.err
    attention = sexton("status", "--json").json["attention"]
    assert [
        (entry["kind"], "by ann since" in entry["text"], ": wrong rates;" in entry["text"]) for entry in attention
    ] == [("stopped", True, True)]
    assert "stopped" in sexton("status").out
    assert sexton("stop-all").ok().out.startswith("everything is stopped since ")
    refused = sexton("run-job", "house.report")
    assert (refused.status, "to end it: sexton resume-all" in refused.err) == (1, True)
    assert sexton("resume-all").ok().out == "work goes on\n"
    assert sexton("resume-all").err == "error: there is no emergency stop to end\n"
