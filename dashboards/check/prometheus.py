"""A real Prometheus that scrapes one target, and promtool beside it."""

import json
import os
import re
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from processes import await_condition, stop

SCRAPE_INTERVAL = "250ms"
STEP_SECONDS = 0.5
_REQUEST_SECONDS = 10


class Refused(Exception):
    """Prometheus or promtool refused what it was given; the text is theirs."""


class Prometheus:
    """Runs until `stop`. Answers of past windows do not change and are kept."""

    def __init__(self, folder, target):
        self._answers = {}
        self._folder = folder
        config = os.path.join(folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:  # YAML reads JSON
            json.dump(_config(target), file, indent=2)
        promtool("check", "config", config)
        self._log = os.path.join(folder, "prometheus.log")
        address = f"127.0.0.1:{_free_port()}"
        self._root = f"http://{address}/api/v1"
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={config}",
                    f"--storage.tsdb.path={os.path.join(folder, 'data')}",
                    f"--web.listen-address={address}",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            await_condition(self._scrapes, 30, "Prometheus does not scrape the server")
        except BaseException:
            self.stop()
            raise

    def series(self, expression, start, end):
        """Series of a range query: (labels, finite values). Raises Refused when it does not parse."""
        key = (expression, start, end)
        if key not in self._answers:
            step = {"query": expression, "start": start, "end": end, "step": STEP_SECONDS}
            self._answers[key] = [_series(item) for item in self._get("query_range", step)["result"]]
        return self._answers[key]

    def stop(self):
        stop(self._process)

    def _scrapes(self):
        if self._process.poll() is not None:
            with open(self._log, encoding="utf-8", errors="replace") as log:
                raise Refused(f"prometheus ended: {log.read()[-2000:]}")
        try:
            targets = self._get("targets", {"state": "active"})["activeTargets"]
        except (OSError, Refused):
            return False
        return any(target["health"] == "up" for target in targets)

    def _get(self, path, parameters):
        url = f"{self._root}/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=_REQUEST_SECONDS) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            body = error.read().decode(errors="replace")
            raise Refused(json.loads(body).get("error", body) if body.startswith("{") else body) from error


def check_exposition(text):
    """What `promtool check metrics` says against an exposition; empty when it is content."""
    try:
        promtool("check", "metrics", stdin=text)
    except Refused as refused:
        return str(refused)
    return ""


def check_expressions(expressions, folder):
    """What `promtool check rules` says against expressions, each made a recording rule; empty when all parse."""
    path = os.path.join(folder, "rules.yml")
    rules = [{"record": f"query_{at}", "expr": expression} for at, expression in enumerate(expressions)]
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
    try:
        promtool("check", "rules", path)
    except Refused as refused:
        return str(refused)
    return ""


def promtool(*arguments, stdin=""):
    """Runs promtool; raises Refused with what it said when it is not content."""
    done = subprocess.run(
        ["promtool", *arguments], input=stdin, capture_output=True, text=True, timeout=30, check=False
    )
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0:
        raise Refused(f"promtool {' '.join(arguments[:2])}: {said}")
    return said


def version():
    """First line of `prometheus --version`."""
    done = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, timeout=30, check=True)
    return re.sub(r" \(.*", "", (done.stdout + done.stderr).splitlines()[0])


def _config(target):
    interval = {"scrape_interval": SCRAPE_INTERVAL, "scrape_timeout": SCRAPE_INTERVAL}
    return {"global": interval, "scrape_configs": [{"job_name": "ledger", "static_configs": [{"targets": [target]}]}]}


def _series(item):
    values = [float(value) for _, value in item["values"]]
    return item["metric"], [value for value in values if abs(value) < float("inf")]


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
