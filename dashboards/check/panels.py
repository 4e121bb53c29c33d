"""The verdict on a dashboard: what is wrong with it, seen from a Prometheus that watched a ledger under load."""

from dataclasses import dataclass

import dashboard
import exposition
import promql
from prometheus import Refused, check_expressions

# Queries that may stay constant under load: "panel / ref": reason. An entry that is not needed is a finding.
CONSTANT = {}


@dataclass(frozen=True)
class Finding:
    """Something wrong at a place: a panel, a query (`panel / ref`), a variable, or the whole dashboard."""

    place: str
    kind: str
    words: str

    def __str__(self):
        return f"{self.place}: {self.words} [{self.kind}]"


@dataclass(frozen=True)
class Observation:
    """A ledger under load as it was seen: Prometheus with the window of the load, and the exposition at its end."""

    prometheus: object
    start: float
    end: float
    instance: str
    text: str
    folder: str


def findings(document, observation, constant=None):
    """All that is wrong with a dashboard, in the order of its panels."""
    constant = CONSTANT if constant is None else constant
    parsed = dashboard.parse(document, observation.instance)
    found = [Finding(place, "dashboard", words) for place, words in parsed.faults]
    refused = check_expressions([query.asked for query in parsed.queries], observation.folder)
    if refused:
        found.append(Finding("dashboard", "syntax", refused))
    known = exposition.samples(observation.text)
    for query in parsed.queries:
        for name in promql.Names(query.asked).metrics:
            if name not in known:
                found.append(Finding(query.place, "unknown metric", f"the server does not expose {name}"))
        found.extend(_of_series(query, observation, query.place in constant))
    for place in constant.keys() - {query.place for query in parsed.queries}:
        found.append(Finding(place, "constant", "declared constant, but there is no such query"))
    return found


def _of_series(query, observation, constant):
    try:
        answer = observation.prometheus.series(query.asked, observation.start, observation.end)
    except Refused as refused:
        return [Finding(query.place, "syntax", str(refused))]
    filled = [(labels, values) for labels, values in answer if values]
    if not filled:
        return [Finding(query.place, "absent", "no series")]
    found = []
    for label in query.legend_labels:
        if any(label not in labels for labels, _ in filled):
            found.append(Finding(query.place, "legend", f"a series has no label {label}"))
    changes = query.panel.startswith("variable ") or any(len(set(values)) > 1 for _, values in filled)
    if constant and changes:
        found.append(Finding(query.place, "constant", "declared constant, but a sample changes"))
    if not constant and not changes:
        found.append(Finding(query.place, "constant", "no sample changes under load"))
    return found
