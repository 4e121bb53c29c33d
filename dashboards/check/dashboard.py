"""A Grafana dashboard as the check sees it: panels, queries, variables, and faults that show without any data."""

import json
import re
from dataclasses import dataclass, field

import promql

# What Grafana puts in place of its own variables when it looks at the check's few seconds.
RATE_INTERVAL = "4s"
BUILT_IN = {"__rate_interval": RATE_INTERVAL, "__interval": "1s", "__range": "60s"}
ONE_INSTANCE = 'instance="$instance"'
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_LEGEND_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_LABEL_VALUES = re.compile(r"label_values\(\s*([A-Za-z_:][\w:]*)\s*,\s*(\w+)\s*\)")


@dataclass(frozen=True)
class Query:
    """One query of a panel, as it is written and as it is asked."""

    panel: str
    ref: str
    written: str
    asked: str
    legend_labels: tuple = ()

    @property
    def place(self):
        return f"{self.panel} / {self.ref}"


@dataclass
class Dashboard:
    """Parsed form; `faults` are (place, words)."""

    panels: list = field(default_factory=list)
    queries: list = field(default_factory=list)
    faults: list = field(default_factory=list)


def read(path):
    """The JSON of a dashboard file."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def parse(document, instance):
    """The panels and queries of a dashboard, with its `instance` variable set to `instance`."""
    parsed = Dashboard()
    values = dict(BUILT_IN, instance=instance)
    for key in ("title", "uid", "schemaVersion", "panels", "templating"):
        if not document.get(key):
            parsed.faults.append(("dashboard", f"{key} is missing"))
    _check_variables(document, instance, parsed)
    _check_layout(document, parsed)
    for panel in panels_of(document):
        parsed.panels.append(panel.get("title", ""))
        _check_panel(panel, parsed)
        for target in panel.get("targets", []):
            parsed.queries.append(_query(panel, target, values, parsed))
    if not parsed.queries:
        parsed.faults.append(("dashboard", "it has no query"))
    return parsed


def panels_of(document):
    """Panels that show data; rows are opened, however deep."""
    for panel in document.get("panels", []):
        if panel.get("type") == "row":
            yield from panels_of(panel)
        else:
            yield panel


def _check_variables(document, instance_value, parsed):
    variables = {variable.get("name"): variable for variable in document.get("templating", {}).get("list", [])}
    datasource, instance = variables.get("datasource", {}), variables.get("instance", {})
    if (datasource.get("type"), datasource.get("query")) != ("datasource", "prometheus"):
        parsed.faults.append(("variable datasource", "it does not choose a Prometheus"))
    query = instance.get("query", {}).get("query", "")
    known = _LABEL_VALUES.fullmatch(query)
    if known is None or known.group(2) != "instance":
        parsed.faults.append(("variable instance", f"{query!r} does not list instances"))
    else:
        selector = f'{known.group(1)}{{instance="{instance_value}"}}'
        parsed.queries.append(Query("variable instance", "values", query, selector))
    for name in variables.keys() - {"datasource", "instance"}:
        parsed.faults.append((f"variable {name}", "the check does not know it"))


def _check_layout(document, parsed):
    boxes, ids = [], set()
    rows = [panel for panel in document.get("panels", []) if panel.get("type") == "row"]
    for panel in [*rows, *panels_of(document)]:
        title = panel.get("title", "")
        if panel.get("id") in ids:
            parsed.faults.append((title, f"id {panel.get('id')} is taken"))
        ids.add(panel.get("id"))
        position = panel.get("gridPos", {})
        x, y, w, h = (position.get(key, -1) for key in "xywh")
        if min(x, y) < 0 or min(w, h) < 1 or x + w > 24:
            parsed.faults.append((title, f"position {position} is not within 24 columns"))
        for other, (x2, y2, w2, h2) in boxes:
            if x < x2 + w2 and x2 < x + w and y < y2 + h2 and y2 < y + h:
                parsed.faults.append((title, f"it lies over {other}"))
        boxes.append((title, (x, y, w, h)))


def _check_panel(panel, parsed):
    title = panel.get("title", "")
    for key in ("title", "description", "targets"):
        if not panel.get(key):
            parsed.faults.append((title, f"{key} is missing"))
    if parsed.panels.count(title) > 1:
        parsed.faults.append((title, "another panel has this title"))
    if panel.get("transformations"):
        parsed.faults.append((title, "transformations can hide absence"))
    settings = panel.get("fieldConfig", {})
    defaults = settings.get("defaults", {})
    overrides = [item for override in settings.get("overrides", []) for item in override.get("properties", [])]
    if not defaults.get("unit"):
        parsed.faults.append((title, "unit is missing"))
    if "noValue" in defaults or any(item.get("id") == "noValue" for item in overrides):
        parsed.faults.append((title, "noValue hides absence"))
    mappings = defaults.get("mappings", []) + [
        mapping for item in overrides if item.get("id") == "mappings" for mapping in item.get("value", [])
    ]
    if any("null" in str(mapping.get("options", {}).get("match")) for mapping in mappings):
        parsed.faults.append((title, "a value mapping of null hides absence"))


def _query(panel, target, values, parsed):
    title, ref, written = panel.get("title", ""), target.get("refId", ""), target.get("expr", "")
    place = f"{title} / {ref}"
    if target.get("datasource") != DATASOURCE:
        parsed.faults.append((place, "its datasource is not the variable's"))
    if not promql.selects_only(written, ONE_INSTANCE):
        parsed.faults.append((place, f"a metric without {ONE_INSTANCE} mixes servers"))
    unknown = set()

    def value(match):
        name = match.group(1) or match.group(2)
        if name not in values:
            unknown.add(name)
        return values.get(name, "")

    asked = _VARIABLE.sub(value, written)
    for name in sorted(unknown):
        parsed.faults.append((place, f"${name} is no variable"))
    for words in promql.faults(asked):
        parsed.faults.append((place, words))
    labels = tuple(_LEGEND_LABEL.findall(target.get("legendFormat", "")))
    return Query(title, ref, written, asked, labels)
