"""What queries mean: hand-made series and the value that a query must make of them, through promtool's unit tests.

Covers the queries that do more than show a metric or its rate. Beside each series stands one of another server, which
must not count.
"""

import json
import os
import re

import dashboard
from panels import Finding
from prometheus import Refused, promtool

_SECONDS = 60
_HERE = 'instance="here"'
_ELSEWHERE = 'instance="elsewhere"'
# A hundred a second: half of them up to 1, the others between 1 and 2.
_SPREAD = ("{}_bucket{{le=1}} 50/s", "{}_bucket{{le=2}} 100/s", "{}_bucket{{le=+Inf}} 100/s")
_MEAN = ("{}_sum 24/s", "{}_count 8/s")

# Query, series (a constant, or what is added each second), labels of the answer (_ALONE: those of the server), value.
_ALONE = f"{{{_HERE}}}"
_ROWS = [
    (
        "Events per second / A",
        ("ledger_events_total{outcome=accepted} 16/s", "ledger_events_total{outcome=refused} 4/s"),
        "{}",
        20,
    ),
    ("Checkpoint age / A", ("ledger_checkpoint_timestamp_seconds 58",), _ALONE, 2),
    ("Entries without a checkpoint / A", ("ledger_log_entries 600", "ledger_checkpoint_entries 540"), _ALONE, 60),
    ("Entries per block / A", ("ledger_log_entries 64/s", "ledger_block_height 2/s"), _ALONE, 32),
    ("Events by outcome / A", ("ledger_events_total{outcome=refused} 4/s",), '{outcome="refused"}', 4),
    ("Syncs / B", ("ledger_syncs_total 10/s", "ledger_events_batch_size_count 8/s"), _ALONE, 1.25),
    ("Bytes per entry / A", ("ledger_storage_size_bytes 9000", "ledger_log_entries 10"), _ALONE, 900),
    ("Log growth / A", ("ledger_log_entries 64/s",), _ALONE, 64),
    (
        "Failed calls by status / A",
        (
            "ledger_grpc_requests_total{method=Submit,status=OK} 9/s",
            "ledger_grpc_requests_total{method=Submit,status=UNAVAILABLE} 2/s",
            "ledger_grpc_requests_total{method=GetBlock,status=UNAVAILABLE} 4/s",
        ),
        '{status="UNAVAILABLE"}',
        6,
    ),
]
_HISTOGRAMS = [
    ("Seal time", "ledger_seal_duration_seconds"),
    ("Flush time", "ledger_flush_duration_seconds"),
    ("Commit group size", "ledger_events_batch_size"),
    ("Commit time", "ledger_append_duration_seconds"),
    ("Sync time", "ledger_sync_duration_seconds"),
]
_WITH_MEAN = ("Commit group size", "Commit time", "Sync time")


def findings(document, folder):
    """Queries that show another value than they must, and rows for queries that are gone."""
    asked = {query.place: query.asked for query in dashboard.parse(document, "here").queries}
    found, path = [], os.path.join(folder, "meaning.yml")
    for place, series, labels, value in _rows():
        if place not in asked:
            found.append(Finding(place, "meaning", "there is no such query"))
            continue
        sample = {"labels": labels, "value": value}
        test = {
            "interval": "1s",
            "input_series": [item for text in series for item in _inputs(text)],
            "promql_expr_test": [{"expr": asked[place], "eval_time": f"{_SECONDS}s", "exp_samples": [sample]}],
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"evaluation_interval": "1s", "tests": [test]}, file)
        try:
            promtool("test", "rules", path)
        except Refused as refused:
            found.append(Finding(place, "meaning", str(refused)))
    return found


def _rows():
    yield from _ROWS
    for panel, metric in _HISTOGRAMS:
        spread = [series.format(metric) for series in _SPREAD]
        yield f"{panel} / A", spread, "{}", 1
        yield f"{panel} / B", spread, "{}", 1.98
        if panel in _WITH_MEAN:
            yield f"{panel} / C", [series.format(metric) for series in _MEAN], _ALONE, 3


def _inputs(text):
    name, labels, value, rate = re.fullmatch(r"(\w+)(?:\{(.*)\})? ([\d.]+)(/s)?", text).groups()
    matchers = [re.sub(r"=(.*)", r'="\1"', pair) for pair in (labels or "").split(",") if pair]
    for instance, factor in ((_HERE, 1), (_ELSEWHERE, 3)):
        number = float(value) * factor
        values = f"0+{number}x{_SECONDS}" if rate else f"{number}x{_SECONDS}"
        yield {"series": f"{name}{{{','.join([instance, *matchers])}}}", "values": values}
