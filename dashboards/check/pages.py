"""The page beside the dashboard: every panel and every metric must be explained there, and nothing else."""

import re

import dashboard
import exposition
from panels import Finding

_PANEL_ROW = re.compile(r"^\| \*\*(.+?)\*\* \|", re.MULTILINE)
_METRIC_ROW = re.compile(r"^\| `(ledger_\w+)(?:\{[\w,]+\})?` \|", re.MULTILINE)


def findings(page, document, text):
    """Panels and metrics that the page leaves out, and those it has that are gone."""
    shown = {panel["title"] for panel in dashboard.panels_of(document)}
    found = []
    for what, real, told in (
        ("panel", shown, set(_PANEL_ROW.findall(page))),
        ("metric", exposition.families(text), set(_METRIC_ROW.findall(page))),
    ):
        found += [Finding(name, "page", f"README.md has no row for this {what}") for name in sorted(real - told)]
        found += [Finding(name, "page", f"README.md explains a {what} that is gone") for name in sorted(told - real)]
    return found
