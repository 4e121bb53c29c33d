"""Checks the dashboards against a real Prometheus that scrapes a real ledger-server under load.

    python3 dashboards/check PROGRAMS

PROGRAMS: the folder of `ledger` and `ledger-server`. Exits 0 when nothing was found and the check found every fault of
its own twins; else 1. Everything listens on loopback and ends with this program.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

import dashboard
import exposition
import meaning
import pages
import panels
import prometheus
import restart
import twins
from ledger import Ledger, LedgerFailed
from load import Load
from processes import TooLate

HERE = os.path.dirname(os.path.abspath(__file__))
DASHBOARD = os.path.join(HERE, "..", "ledger-grafana.json")
PAGE = os.path.join(HERE, "..", "README.md")
# Load goes on until nothing is found, at most this long, and at least long enough for a rate to have a past.
LOAD_SECONDS = 60
LEAST_LOAD_SECONDS = 8


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="dashboards-check-") as folder:
            found = check(sys.argv[1], folder)
    except (LedgerFailed, TooLate, prometheus.Refused, OSError, subprocess.SubprocessError) as error:
        print(f"dashboards-check: {error}", file=sys.stderr)
        return 1
    print(f"dashboards-check: {'FAILED' if found else 'ok'} in {time.monotonic() - began:.0f} s")
    return 1 if found else 0


def check(programs, folder):
    """Number of faults; each was printed."""
    document = dashboard.read(DASHBOARD)
    with contextlib.ExitStack() as ends:
        ledger = Ledger(programs, folder)
        ends.callback(ledger.stop)
        watch = prometheus.Prometheus(folder, ledger.metrics_address)
        ends.callback(watch.stop)
        print(f"dashboards-check: {prometheus.version()} scrapes ledger-server every {prometheus.SCRAPE_INTERVAL}")
        observation, found = under_load(document, ledger, watch, folder)
        found += around(document, observation)
        found += restart.findings(ledger)
        ledger.stop()
        queries = len(dashboard.parse(document, observation.instance).queries)
        seconds = observation.end - observation.start
        print(f"dashboards-check: {queries} queries over {seconds:.0f} s of load: {len(found)} findings")
        for finding in found:
            print(f"  {finding}")
        return len(found) + missed_twins(document, observation)


def under_load(document, ledger, watch, folder):
    """Runs load until nothing is found or the time is up; the last observation, and what is found in it."""
    start = time.time()
    with contextlib.closing(Load(ledger)) as load:
        while True:
            load.round()
            now = time.time()
            if now - start < LEAST_LOAD_SECONDS:
                continue
            text = exposition.fetch(ledger.metrics_address)
            observation = panels.Observation(watch, start, now, ledger.metrics_address, text, folder)
            found = panels.findings(document, observation)
            if not found or now - start > LOAD_SECONDS:
                return observation, found


def around(document, observation):
    """Findings about the exposition itself, the page beside the dashboard, and what queries mean."""
    text = observation.text
    with open(PAGE, encoding="utf-8") as file:
        found = pages.findings(file.read(), document, text)
    found += meaning.findings(document, observation.folder)
    if not meaning.findings(twins.altered_meaning(document), observation.folder):
        found.append(panels.Finding("dashboard", "meaning", "a division turned round passed"))
    refused = prometheus.check_exposition(text)
    if refused:
        found.append(panels.Finding("exposition", "promtool", refused))
    if not prometheus.check_exposition(re.sub(r"^# HELP .*\n", "", text, count=1, flags=re.MULTILINE)):
        found.append(panels.Finding("exposition", "promtool", "a metric without help passed"))
    return found


def missed_twins(document, observation):
    """Number of faulty dashboards that passed, or whose fault was found elsewhere or as something else."""
    count, missed = 0, 0
    for words, place, kinds, twin in twins.twins(document):
        count += 1
        found = panels.findings(twin, observation)
        if not any(finding.place in (place, "dashboard") and finding.kind in kinds for finding in found):
            missed += 1
            print(f"  {place}: {words}: not found; found were: {[str(finding) for finding in found]}")
    print(f"dashboards-check: {count} dashboards with one fault each: {count - missed} found")
    return missed


if __name__ == "__main__":
    sys.exit(main())
