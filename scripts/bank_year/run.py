"""Imports the Czech bank's year into a new ledger and shows what must hold; see scripts/bank-year."""

import argparse
import shutil
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import count
import kills
from export import event_indices
from programs import Failed, Ledger

ROOT = Path(__file__).resolve().parents[2]
ROWS = ROOT.parent / "shared/data/czech-bank-1993/transactions.csv.gz"
MAPPING = ROOT / "examples/czech-bank/mapping.toml"
EXPECTED = {"rows": 28205, "matched": 26783, "rounded": 1422, "other": 0}
CUSTOMER = "customer:"


class Table:
    """What was expected and what was found, line by line; `check` fails on the first difference."""

    def __init__(self):
        self.lines = []

    def part(self, title):
        self.lines.append((title, "expected", "found"))
        print(title, flush=True)

    def note(self, what, found):
        self.lines.append(("  " + what, "", str(found)))
        print(f"  {what}: {found}", flush=True)

    def check(self, what, expected, found):
        self.lines.append(("  " + what, str(expected), str(found)))
        print(f"  {what}: {found}", flush=True)
        if expected != found:
            raise Failed(f"{what}: expected {expected}, found {found}")

    def show(self):
        widths = [max(len(line[column]) for line in self.lines) for column in range(3)]
        print()
        for what, expected, found in self.lines:
            print(f"{what:<{widths[0]}}  {expected:>{widths[1]}}  {found:>{widths[2]}}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--bin", required=True, help="folder of the programs")
    arguments.add_argument("dir", nargs="?", type=Path, help="gets export/, log.vkey and ledger-id")
    given = arguments.parse_args()
    if given.dir and given.dir.exists() and (not given.dir.is_dir() or any(given.dir.iterdir())):
        sys.exit(f"bank-year: {given.dir} is not an empty folder")
    if not ROWS.exists():
        sys.exit(f"bank-year: {ROWS} is missing")
    table = Table()
    work = Path(tempfile.mkdtemp(prefix="bank-year."))
    ledgers = []
    try:
        show(table, given, work, ledgers)
    except Failed as failure:
        sys.exit(f"bank-year: {failure}\nbank-year: what there is stays in {work}")
    finally:
        for ledger in ledgers:
            if ledger.server and ledger.server.poll() is None:
                ledger.kill()
    shutil.rmtree(work)
    table.show()


def show(table, given, work, ledgers):
    table.part("the rows counted a second time, from the CSV alone")
    counted = count.count(ROWS)
    for name, expected in EXPECTED.items():
        table.check(f"{name}, by the second count", expected, counted[name])

    table.part("one import without a break")
    ledger = Ledger(given.bin, work / "unbroken")
    ledgers.append(ledger)
    ledger.start()
    ledger.register_importer()
    report = imported(ledger)
    reconciled(table, report, counted)
    size = ledger.seal()
    balances(table, ledger, counted)
    events = int(report["events"]["new"])
    openings = int(report["accounts"]["opened"])
    table.check("events: rows, roundings, accounts", 28205 + 1422 + openings, events)
    table.note("events per second, import", report["events_per_second"])

    again = imported(ledger)
    table.check("second import: new events", 0, int(again["events"]["new"]))
    table.check("second import: events there before", 28205 + 1422, int(again["events"]["already_there"]))
    table.check("second import: size of the log", size, ledger.seal())

    ledger.export()
    table.check("events in the export: those and one key", events + 1, len(event_indices(ledger.export_dir)))
    table.check("ledger-verify archive", "valid", ledger.verify())
    unbroken = ledger.command("books-hash", ledger.export_dir)["books_hash"]
    ledger.stop()
    if given.dir:
        leave(ledger, given.dir)

    table.part("the import again, in signed batches of 1,000")
    batched = Ledger(given.bin, work / "batched")
    ledgers.append(batched)
    batched.start()
    batched.register_importer()
    singly, report = report, imported(batched, "--batch", "1000")
    reconciled(table, report, counted)
    table.check("events, in batches", events, int(report["events"]["new"]))
    rates = f"{singly['events_per_second']} event by event, {report['events_per_second']} in batches"
    table.note("events per second", rates)
    batched.seal()
    balances(table, batched, counted)
    again = imported(batched, "--batch", "777")
    table.check("second import, in batches of 777: new events", 0, int(again["events"]["new"]))
    batched.export()
    indices = event_indices(batched.export_dir)
    table.check("events in the export of the batches: those and one key", events + 1, len(indices))
    table.check("ledger-verify archive, in batches", "valid", batched.verify())
    in_batches = batched.command("books-hash", batched.export_dir)["books_hash"]
    table.check("books hash, in batches", unbroken, in_batches)
    batched.stop()

    table.part("the import again, with three kills (kill -9) each of server and importer")
    broken = Ledger(given.bin, work / "broken")
    ledgers.append(broken)
    broken.start()
    broken.register_importer()
    shown, report, acknowledged = kills.broken_import(broken, ROWS, MAPPING, 28205)
    for at, victim, found in shown:
        table.note(f"kill -9 of the {victim} at {at} rows: acknowledged and found at their log index", found)
    reconciled(table, report, counted)
    table.check("acknowledged and found at their log index at the end", events, acknowledged)
    broken.seal()
    balances(table, broken, counted)
    broken.export()
    table.check("ledger-verify archive, with kills", "valid", broken.verify())
    table.check("books hash, with kills", unbroken, broken.command("books-hash", broken.export_dir)["books_hash"])
    broken.stop()


def imported(ledger, *flags):
    """Imports everything; the importer's report."""
    begun = time.monotonic()
    importer = ledger.importer(ROWS, MAPPING, *flags)
    output, _ = importer.communicate()
    report = kills.result("ledger import", importer.returncode, output, "")
    print(f"  imported in {time.monotonic() - begun:.1f} s", flush=True)
    return report


def reconciled(table, report, counted):
    """The importer's counts against the second count."""
    for name in EXPECTED:
        table.check(f"{name}, by the importer", counted[name], int(report[name]))
    stated = {f"{Decimal(amount) / 100:.2f} CZK": rows for amount, rows in counted["roundings"].items()}
    table.check("roundings by amount", by_amount(stated), by_amount(report["roundings"]))


def by_amount(roundings):
    return ", ".join(f"{rows} x {amount}" for amount, rows in sorted(roundings.items()))


def balances(table, ledger, counted):
    """Every customer account against the balance that the bank states last."""
    accounts = ledger.command("account", "list", "--limit", "0")["accounts"]
    found = {
        account["account"].removeprefix(CUSTOMER): hundredths(account["posted"])
        for account in accounts
        if account["account"].startswith(CUSTOMER)
    }
    stated = counted["last_balances"]
    table.check("accounts", len(stated), len(found))
    equal = sum(found.get(account) == balance for account, balance in stated.items())
    table.check("accounts at the bank's last balance", len(stated), equal)


def hundredths(text):
    amount, currency = text.split(" ")
    if currency != "CZK":
        raise Failed(f"{text} is not in CZK")
    return int(Decimal(amount) * 100)


def leave(ledger, folder):
    """What an auditor gets."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(ledger.export_dir, folder / "export")
    for name in ("log.vkey", "ledger-id"):
        shutil.copyfile(ledger.dir / name, folder / name)


if __name__ == "__main__":
    main()
