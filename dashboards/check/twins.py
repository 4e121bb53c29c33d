"""The check checks itself: dashboards with one fault each, which must be found where it is and as what it is."""

import copy
import re

import dashboard
import promql


def twins(document):
    """(what was done, place, kinds one of which must be found there, dashboard with that fault), many."""
    for at, panel in enumerate(dashboard.panels_of(document)):
        for number, target in enumerate(panel["targets"]):
            place = f"{panel['title']} / {target['refId']}"
            for metric in promql.Names(target["expr"]).metrics:
                spelt = re.sub(rf"\b{metric}\b", _misspelt(metric), target["expr"])
                yield f"{metric} misspelt", place, {"absent"}, _with(document, at, number, expr=spelt)
            for hidden, words in _hidden(target["expr"]):
                yield words, place, {"dashboard"}, _with(document, at, number, expr=hidden)
    yield from _single_faults(document)


def _hidden(expression):
    yield f"({expression}) or vector(0)", "or vector(0)"
    yield f"({expression}) or on() vector(0)", "or on() vector(0)"


def altered_meaning(document):
    """A dashboard whose first division is turned round."""
    for at, panel in enumerate(dashboard.panels_of(document)):
        for number, target in enumerate(panel["targets"]):
            above, slash, below = target["expr"].partition(" / ")
            if slash:
                return _with(document, at, number, expr=f"{below} / {above}")
    raise ValueError("no query divides")


def _single_faults(document):
    """Faults of other kinds, in the first query of the first panel."""
    panel = next(dashboard.panels_of(document))
    target = panel["targets"][0]
    place, expression = f"{panel['title']} / {target['refId']}", target["expr"]
    metric = promql.Names(expression).metrics[0]
    expressions = [
        ("multiplied by zero", "constant", f"({expression}) * 0"),
        ("all servers at once", "dashboard", expression.replace(dashboard.ONE_INSTANCE, "")),
        ("absent() around it", "dashboard", f"absent({expression})"),
        ("a selector by __name__", "dashboard", f'{{__name__="{metric}"}}'),
        ("a bracket too many", "syntax", f"{expression})"),
        ("a label that is not there", "absent", f'{metric}{{colour="blue"}}'),
        ("a variable that is not there", "dashboard", f'{metric}{{instance="$instances"}}'),
    ]
    for words, kind, changed in expressions:
        yield words, place, {kind}, _with(document, 0, 0, expr=changed)
    yield "a legend label that is not there", place, {"legend"}, _with(document, 0, 0, legendFormat="{{colour}}")
    silent = copy.deepcopy(document)
    next(dashboard.panels_of(silent))["fieldConfig"]["defaults"]["noValue"] = "0"
    yield "noValue", panel["title"], {"dashboard"}, silent


def _misspelt(metric):
    """The name with two neighbouring letters of its middle changed round."""
    for at in range(len(metric) // 2, len(metric) - 1):
        if metric[at] != metric[at + 1]:
            return metric[:at] + metric[at + 1] + metric[at] + metric[at + 2 :]
    return metric + "x"


def _with(document, panel, target, **changes):
    changed = copy.deepcopy(document)
    list(dashboard.panels_of(changed))[panel]["targets"][target].update(changes)
    return changed
