"""Gauges after a restart: a dashboard must not show an empty ledger until the first write comes."""

import exposition
from panels import Finding

NEVER_FALLS = (
    "ledger_log_entries",
    "ledger_block_height",
    "ledger_checkpoint_entries",
    "ledger_checkpoint_timestamp_seconds",
)
ABOVE_ZERO = ("ledger_storage_size_bytes",)


def findings(ledger):
    """Restarts the server of a ledger that nobody writes to, and compares its gauges."""
    before = exposition.samples(exposition.fetch(ledger.metrics_address))
    ledger.stop()
    ledger.start()
    after = exposition.samples(exposition.fetch(ledger.metrics_address))
    found = []
    for name in NEVER_FALLS:
        if after.get(name, 0) < before.get(name, 0):
            found.append(Finding(name, "restart", f"{before[name]:.0f} before a restart, {after.get(name)} after it"))
    for name in ABOVE_ZERO:
        if not after.get(name):
            found.append(Finding(name, "restart", f"{after.get(name)} after a restart"))
    return found
