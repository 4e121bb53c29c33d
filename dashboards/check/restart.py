"""Gauges after a restart: a dashboard must not show an empty ledger until the first write comes."""

import exposition
from panels import Finding

# By how much a gauge may be lower: the time of a checkpoint comes from the clock, after a restart from the file system.
NEVER_FALLS = {
    "ledger_log_entries": 0,
    "ledger_block_height": 0,
    "ledger_checkpoint_entries": 0,
    "ledger_checkpoint_timestamp_seconds": 1,
}
ABOVE_ZERO = ("ledger_storage_size_bytes",)


def findings(ledger):
    """Restarts the server of a ledger that nobody writes to, and compares its gauges."""
    before = exposition.samples(exposition.fetch(ledger.metrics_address))
    ledger.stop()
    ledger.start()
    after = exposition.samples(exposition.fetch(ledger.metrics_address))
    found = []
    for name, loss in NEVER_FALLS.items():
        if after.get(name, 0) < before[name] - loss:
            found.append(Finding(name, "restart", f"{before[name]} before a restart, {after.get(name)} after it"))
    for name in ABOVE_ZERO:
        if not after.get(name):
            found.append(Finding(name, "restart", f"{after.get(name)} after a restart"))
    return found
