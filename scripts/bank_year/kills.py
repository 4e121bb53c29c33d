"""The import again, with its server and itself killed (kill -9) at seeded numbers of acknowledged rows."""

import random
import time

from export import event_indices
from programs import Failed, result

SEED = 1993
KILLS = ["server", "importer"] * 3
APART = 1000


def schedule(rows):
    """(acknowledged rows, victim), ascending; any two are more than twice APART from each other."""
    source = random.Random(SEED)
    victims = KILLS[:]
    source.shuffle(victims)
    share = rows // (len(victims) + 1)
    room = share - 2 * APART
    if room <= 0:
        raise Failed(f"{rows} rows are too few for {len(victims)} kills {APART} rows apart")
    return [(share * (at + 1) - source.randrange(room), victim) for at, victim in enumerate(victims)]


def acknowledged(path):
    """What the file of acknowledgements says: (event id, log index, what), whole lines only."""
    text = path.read_text() if path.exists() else ""
    lines = text[: text.rfind("\n") + 1].splitlines()
    return [(event, int(index), what) for event, index, what in (line.split(" ", 2) for line in lines)]


def rows_of(acks):
    return sum(what.startswith("row ") for _, _, what in acks)


def broken_import(ledger, rows, mapping, row_count):
    """Imports with kills; (killed at how many acknowledged rows, victim, acknowledgements found) of each."""
    # Small requests: the kill comes a few rows after its number, however fast the machine is.
    flags = ["--request", "4", "--window", "2"]
    importer = ledger.importer(rows, mapping, *flags)
    shown = []
    for target, victim in schedule(row_count):
        wait_for(ledger, importer, target)
        if victim == "server":
            ledger.kill()
        else:
            importer.kill()
            importer.wait()
        acks = acknowledged(ledger.acks)
        at = rows_of(acks)
        if shown and at - shown[-1][0] < APART:
            raise Failed(f"killed at {shown[-1][0]} and at {at} acknowledged rows: less than {APART} apart")
        if victim == "server":
            ledger.start()
        shown.append((at, victim, found(ledger, acks)))
        if victim == "importer":
            importer = ledger.importer(rows, mapping, *flags)
    output, _ = importer.communicate()
    return shown, result("ledger import", importer.returncode, output, ""), found(ledger, acknowledged(ledger.acks))


def wait_for(ledger, importer, target):
    while rows_of(acknowledged(ledger.acks)) < target:
        if importer.poll() is not None:
            raise Failed(f"the importer ended with {importer.returncode} before row {target}")
        time.sleep(0.005)


def found(ledger, acks):
    """Looks every acknowledged event up in a fresh export; how many there were."""
    if acks:
        ledger.cover(max(index for _, index, _ in acks))
    ledger.export()
    there = event_indices(ledger.export_dir)
    for event, index, what in acks:
        if there.get(event) != index:
            raise Failed(f"{what}: event {event} was acknowledged at log index {index}, found at {there.get(event)}")
    return len(acks)
