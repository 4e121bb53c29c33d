"""What a server exposes at `GET /metrics`, in the text format that promtool reads."""

import re
import urllib.request

_SECONDS = 10


def fetch(address):
    """The text."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=_SECONDS) as answer:
        return answer.read().decode()


def samples(text):
    """Value by name of the samples without labels; of the others, only the names count, with value None."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = re.fullmatch(r"(\w+)(\{.*\})? (\S+)(?: \d+)?", line).groups()
            found[name] = None if labels else float(value)
    return found


def families(text):
    """Names of the described metrics; a histogram is one."""
    return set(re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
