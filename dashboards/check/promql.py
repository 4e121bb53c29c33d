"""What a PromQL expression names, by its tokens; whether it parses is promtool's and Prometheus' to say."""

import re

# An absent series must show as absent: these give a value in its place, or turn the absence into one.
HIDING_FUNCTIONS = {"absent", "absent_over_time", "scalar", "vector"}

_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`')
_COMMENT = re.compile(r"#[^\n]*")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)", re.IGNORECASE)
_SELECTOR = re.compile(r"([A-Za-z_:][\w:]*)?\s*\{([^{}]*)\}")
_RANGE = re.compile(r"\[[^\[\]]*\]")
_WORD = re.compile(r"(?<![\w:.])([A-Za-z_:][\w:]*)\s*(\(?)")
_OPERATORS = {"and", "or", "unless", "atan2", "bool", "offset", "by", "without", "on", "ignoring"}
_OPERATORS |= {"group_left", "group_right", "start", "end", "inf", "nan"}


class Names:
    """Metric names, functions with aggregations, and operators of an expression."""

    def __init__(self, expression):
        text = _COMMENT.sub(" ", _STRING.sub('""', expression))
        selectors = _SELECTOR.findall(text)
        self.nameless = any(not name or "__name__" in matchers for name, matchers in selectors)
        text = _RANGE.sub(" ", _SELECTOR.sub(r" \1 ", _GROUPING.sub(" ", text)))
        self.metrics, self.functions, self.operators = [], set(), set()
        for word, call in _WORD.findall(text):
            if word.lower() in _OPERATORS:
                self.operators.add(word.lower())
            elif call:
                self.functions.add(word.lower())
            elif word not in self.metrics:
                self.metrics.append(word)


def selects_only(expression, matcher):
    """Whether every metric of an expression is narrowed by a label matcher."""
    text = _COMMENT.sub(" ", expression)
    narrowed = sum(matcher in matchers for _, matchers in _SELECTOR.findall(text))
    return narrowed == sum(len(re.findall(rf"\b{name}\b", text)) for name in Names(expression).metrics)


def faults(expression):
    """Reasons why an expression could show something where its series are missing."""
    names = Names(expression)
    found = [f"{function}() hides absence" for function in sorted(names.functions & HIDING_FUNCTIONS)]
    if "or" in names.operators:
        found.append("`or` hides absence")
    if names.nameless:
        found.append("a selector without a metric name hides absence")
    if not names.metrics:
        found.append("it names no metric")
    return found
