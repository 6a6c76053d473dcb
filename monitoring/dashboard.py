"""The Grafana dashboard, as code: `python -m monitoring.dashboard` writes grafana/sexton.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monitoring.panels import GREEN, GREY, RED, SCHEMA, SOURCE, YELLOW, Panel, Query, Row, Steps, laid_out, variable

TARGET = Path(__file__).parent / "grafana/sexton.json"

JOB = 'suite=~"$suite", job_name=~"$job"'
NODE = 'instance=~"$instance"'
BY_JOB = "sum by (suite, job_name)"

NONE_IS_BEST: Steps = ((None, GREEN), (1, YELLOW))
NONE_AT_ALL: Steps = ((None, GREEN), (1, RED))
SOME_ARE_NEEDED: Steps = ((None, RED), (1, GREEN))
MOST_SUCCEED: Steps = ((None, RED), (0.95, YELLOW), (0.999, GREEN))
FULL: Steps = ((None, GREEN), (0.8, YELLOW), (1, RED))
UP = {"0": ("no", RED), "1": ("yes", GREEN)}


def stat(title: str, text: str, expression: str, steps: Steps, unit: str = "short") -> Panel:
    return Panel("stat", title, text, [Query(expression, title, instant=True)], unit, steps, width=3, height=4)


def lines(title: str, text: str, *queries: Query, **more: Any) -> Panel:
    return Panel("timeseries", title, text, queries, **more)


def states(title: str, text: str, expression: str, legend: str, width: int = 8) -> Panel:
    return Panel("state-timeline", title, text, [Query(expression, legend)], width=width, height=6, words=UP)


def now() -> Row:
    late = f"max by (suite, job_name) (sexton_job_success_expected_by_timestamp_seconds{{{JOB}}}) < bool time()"
    return Row("Now", [
        stat("Nodes", "Daemons that Prometheus reaches.", 'sum(up{job="sexton"})', SOME_ARE_NEEDED),
        stat("Alerts", "Alerts of Sexton that fire; the runbook has a section for each.",
             'count(ALERTS{alertname=~"Sexton.*", alertstate="firing"}) or vector(0)', NONE_IS_BEST),
        stat("Success, 1 day", "Of what was due and has come to an end: what succeeded.",
             f'sum(increase(sexton_runs_total{{{JOB}, outcome="succeeded"}}[1d])) / '
             f'sum(increase(sexton_runs_total{{{JOB}, outcome=~"succeeded|failed|timed_out|missed"}}[1d]))',
             MOST_SUCCEED, "percentunit"),
        stat("Late jobs", "Jobs that should have succeeded by now.", f"sum({late})", NONE_IS_BEST),
        stat("Held", "Due instants that wait for a person.",
             f'sum(sexton_job_instants{{{JOB}, state="held"}})', NONE_IS_BEST),
        stat("Standing still", "Failed EACH instants that hold up the later ones.",
             f'sum(sexton_job_instants{{{JOB}, state="failed"}})', NONE_AT_ALL),
        stat("Missed, 1 day", "Due instants that were too late to run.",
             f"sum(increase(sexton_job_missed_fires_total{{{JOB}}}[1d]))", NONE_IS_BEST),
        stat("Dead items", "Queue items that were given up.", 'sum(sexton_queue_depth{state="dead"})', NONE_IS_BEST),
    ])  # fmt: skip


def jobs() -> Row:
    return Row("Jobs", [
        _every_job(),
        lines("Outcomes", "Ends of tries, and of instants that did not run, a second.",
              Query(f"sum by (outcome) (rate(sexton_runs_total{{{JOB}}}[$__rate_interval])) > 0", "{{outcome}}"),
              unit="ops", stacked=True),
        lines("Lateness", "Start less due instant: half of the runs, and 99 in 100.",
              Query('suite:sexton_run_lateness_seconds:p50_5m{suite=~"$suite"}', "{{suite}} p50"),
              Query('suite:sexton_run_lateness_seconds:p99_5m{suite=~"$suite"}', "{{suite}} p99"),
              unit="s", steps=((None, GREEN), (30, RED))),
        lines("Duration, 95 in 100", "How long a try takes, over an hour.",
              Query(f"suite_job_name:sexton_run_duration_seconds:p95_1h{{{JOB}}}", "{{job_name}}"), unit="s"),
        lines("Due instants that are not over", "Ready, waiting, held, running; failed ones that hold up others.",
              Query(f"sum by (state) (sexton_job_instants{{{JOB}}})", "{{state}}"), stacked=True),
        lines("Oldest of them", "Since it could have begun, was due, or began.",
              Query(f"max by (state) (sexton_job_instant_oldest_age_seconds{{{JOB}}})", "{{state}}"), unit="s"),
        lines("Failures and retries", "Runs without tries left, and tries that are repeated, in an hour.",
              Query(f'{BY_JOB} (suite_job_name_outcome:sexton_runs:increase1h{{{JOB}, outcome=~"failed|timed_out"}})',
                    "{{job_name}} failed"),
              Query(f"{BY_JOB} (increase(sexton_job_retries_total{{{JOB}}}[1h]))", "{{job_name}} retries")),
        lines("Rows written", "Rows of committed transactions, a second.",
              Query(f"sum by (op) (rate(sexton_job_rows_total{{{JOB}}}[$__rate_interval]))", "{{op}}"),
              unit="ops", stacked=True),
        lines("Running", "Runs at this moment, on all nodes.",
              Query(f"sum by (job_name) (sexton_job_running{{{JOB}}})", "{{job_name}}"), stacked=True),
        lines("What people did", "Actions in the audit, in an hour.",
              Query("sum by (action) (increase(sexton_actions_total[1h]))", "{{action}}")),
    ])  # fmt: skip


def _every_job() -> Panel:
    by = "max by (suite, job_name)"
    queries = (
        f"time() - {by} (sexton_job_last_success_timestamp_seconds{{{JOB}}})",
        f"{by} (sexton_job_success_expected_by_timestamp_seconds{{{JOB}}}) - time()",
        f"suite_job_name:sexton_runs:success_ratio1d{{{JOB}}}",
        f"suite_job_name:sexton_run_duration_seconds:mean_1h{{{JOB}}}",
        f'{by} (sexton_job_instants{{{JOB}, state="held"}})',
        f"{by} (sexton_job_paused{{{JOB}}})",
    )
    calm: Steps = ((None, GREY),)
    columns = (
        ("since success", "s", calm), ("owes the next in", "s", ((None, RED), (0, GREY))),
        ("success, 1 day", "percentunit", MOST_SUCCEED), ("mean duration, 1 h", "s", calm),
        ("held", "short", ((None, GREY), (1, YELLOW))), ("paused", "short", ((None, GREY), (1, YELLOW))),
    )  # fmt: skip
    text = "Every job: when it last succeeded, by when it must again, and what waits. A negative time is overdue."
    asked = [Query(expression, instant=True) for expression in queries]
    return Panel("table", "Every job", text, asked, width=24, height=9, columns=columns, lowest=None)


def queues() -> Row:
    return Row("Queues and events", [
        lines("Depth", "Items by queue and state.",
              Query("sum by (queue, state) (sexton_queue_depth)", "{{queue}} {{state}}")),
        lines("Oldest item not begun", "An alert fires at a quarter of an hour.",
              Query("max by (queue) (sexton_queue_oldest_age_seconds)", "{{queue}}"),
              unit="s", steps=((None, GREEN), (900, RED))),
        lines("Items settled", "By all nodes, a second.",
              Query("queue_outcome:sexton_queue_items:rate5m", "{{queue}} {{outcome}}"), unit="ops", stacked=True),
        lines("Events without a job", "Events that were not handed to a job yet.",
              Query("sum(sexton_events_waiting)", "waiting"), width=12, height=6),
        lines("Oldest of these events", "An alert fires at ten minutes.",
              Query("max(sexton_events_oldest_age_seconds)", "oldest"), unit="s",
              steps=((None, GREEN), (600, RED)), width=12, height=6),
    ])  # fmt: skip


def messages() -> Row:
    return Row("Messages", [
        lines("Settled", "Messages by channel and how they ended, in an hour.",
              Query("channel_status:sexton_outbox:increase1h", "{{channel}} {{status}}"), width=6),
        lines("Not over, or not well", "The outbox by channel and status.",
              Query("sum by (channel, status) (sexton_outbox_messages)", "{{channel}} {{status}}"), width=6),
        lines("Oldest that could be sent", "An alert fires at a quarter of an hour.",
              Query("max by (channel) (sexton_outbox_oldest_age_seconds)", "{{channel}}"),
              unit="s", steps=((None, GREEN), (900, RED)), width=6),
        states("Channels", "Whether any node reaches the service behind a channel.",
               "max by (channel) (sexton_channel_up)", "{{channel}}", width=6),
    ])  # fmt: skip


def nodes() -> Row:
    return Row("Nodes", [
        states("Ready", "What /readyz says.", f"sexton_node_ready{{{NODE}}}", "{{instance}}"),
        states("Database", "Whether it answers the node.", f"sexton_database_up{{{NODE}}}", "{{instance}}"),
        states("LISTEN", "Whether it hears its own echo.", f"sexton_listen_up{{{NODE}}}", "{{instance}}"),
        lines("Event loop", "How far it is behind.", Query(f"sexton_event_loop_lag_seconds{{{NODE}}}", "{{instance}}"),
              unit="s", steps=((None, GREEN), (0.25, YELLOW), (10, RED))),
        lines("Lease renewals", "Three a lease, and none lost.",
              Query(f"rate(sexton_lease_renewals_total{{{NODE}}}[5m])", "{{instance}} renewed"),
              Query(f"increase(sexton_lease_losses_total{{{NODE}}}[1h])", "{{instance}} lost in 1 h")),
        lines("Since the last echo", "LISTEN asks itself every 30 s.",
              Query(f"sexton_listen_echo_age_seconds{{{NODE}}}", "{{instance}}"), unit="s",
              steps=((None, GREEN), (120, RED))),
        lines("Clock against the database's", "Beyond a minute EACH instants are held.",
              Query(f"sexton_clock_difference_seconds{{{NODE}}}", "{{instance}}"), unit="s", lowest=None),
        lines("Troubles", "Within an hour.",
              Query(f"increase(sexton_event_loop_stalls_total{{{NODE}}}[1h])", "{{instance}} loop stood still"),
              Query(f"increase(sexton_database_outages_total{{{NODE}}}[1h])", "{{instance}} database lost"),
              Query(f"increase(sexton_rescued_runs_total{{{NODE}}}[1h])", "{{instance}} runs rescued"),
              Query(f"sum by (instance) (increase(sexton_service_failures_total{{{NODE}}}[1h]))",
                    "{{instance}} service errors"),
              Query(f"sum by (instance) (increase(sexton_connections_turned_away_total{{{NODE}}}[1h]))",
                    "{{instance}} callers turned away")),
        lines("Nodes by the ledger", "Alive, and gone without a goodbye within a day.",
              Query("sum by (state) (sexton_nodes)", "{{state}}"),
              Query("count by (version) (sexton_build_info)", "version {{version}}")),
    ])  # fmt: skip


def room() -> Row:
    return Row("Room", [
        lines("In use", "Workers, slots and connections, as shares of what the node has.",
              Query(f"instance:sexton_pool_workers:busy_ratio{{{NODE}}}", "{{instance}} workers"),
              Query(f"instance:sexton_slots:used_ratio{{{NODE}}}", "{{instance}} slots"),
              Query(f"instance:sexton_database_connections:used_ratio{{{NODE}}}", "{{instance}} connections"),
              unit="percentunit", steps=FULL),
        lines("Waiting", "Calls that wait for a worker, bodies that wait for a connection.",
              Query(f"sexton_pool_calls_waiting{{{NODE}}}", "{{instance}} calls"),
              Query(f"sexton_database_connections_waiting{{{NODE}}}", "{{instance}} bodies")),
        lines("Wait for a connection", "The mean over five minutes.",
              Query(f"instance:sexton_database_connection_wait_seconds:mean5m{{{NODE}}}", "{{instance}}"), unit="s"),
        lines("Worker processes", "By state, and those that died in an hour.",
              Query(f"sum by (state) (sexton_pool_workers{{{NODE}}})", "{{state}}"),
              Query(f"sum(increase(sexton_pool_worker_deaths_total{{{NODE}}}[1h]))", "died in 1 h")),
        lines("Memory of the daemon", "Resident, workers not counted.",
              Query(f'process_resident_memory_bytes{{job="sexton", {NODE}}}', "{{instance}}"), unit="bytes",
              steps=((None, GREEN), (1e9, RED))),
        lines("Processor time of the daemon", "Seconds a second: 1 is a whole core.",
              Query(f'rate(process_cpu_seconds_total{{job="sexton", {NODE}}}[$__rate_interval])', "{{instance}}")),
        lines("Free disk", "Of the disk under the state directory.",
              Query(f"sexton_state_directory_free_bytes{{{NODE}}} / sexton_state_directory_size_bytes{{{NODE}}}",
                    "{{instance}}"),
              unit="percentunit", steps=((None, RED), (0.1, GREEN)), width=12, height=6),
        lines("Open files", "As a share of the limit.",
              Query(f'process_open_fds{{job="sexton", {NODE}}} / process_max_fds{{job="sexton", {NODE}}}',
                    "{{instance}}"),
              unit="percentunit", steps=FULL, width=12, height=6),
    ])  # fmt: skip


def dashboard() -> dict[str, Any]:
    source = {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "hide": 0,
              "refresh": 1, "multi": False, "includeAll": False, "current": {}}  # fmt: skip
    restarts = {"name": "Starts", "datasource": SOURCE, "enable": True, "iconColor": GREY, "step": "60s",
                "titleFormat": "{{instance}} began",
                "expr": 'changes(process_start_time_seconds{job="sexton"}[1m]) > 0'}  # fmt: skip
    return {
        "title": "Sexton", "uid": "sexton", "description": "Background work: what was due, what ran, and why not.",
        "tags": ["sexton"], "schemaVersion": SCHEMA, "version": 1, "editable": True, "graphTooltip": 1,
        "refresh": "30s", "timezone": "browser", "time": {"from": "now-6h", "to": "now"}, "links": [],
        "annotations": {"list": [restarts]},
        "templating": {"list": [
            source, variable("suite", "Suite", "label_values(sexton_runs_total, suite)"),
            variable("job", "Job", 'label_values(sexton_runs_total{suite=~"$suite"}, job_name)'),
            variable("instance", "Node", "label_values(sexton_node_ready, instance)"),
        ]},
        "panels": list(laid_out([now(), jobs(), queues(), messages(), nodes(), room()])),
    }  # fmt: skip


def written() -> str:
    """The committed file, to the byte."""
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(written(), encoding="utf-8")
