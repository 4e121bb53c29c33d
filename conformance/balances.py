"""Adds up a journal with the accountants' own tool and compares with the ledger: balances.py TOOL JOURNAL ACCOUNTS.

TOOL is hledger or beancount, ACCOUNTS what `ledger account list --json` printed. Every account of the journal must hold what the
ledger says that it holds, debits positive. Exits 1 and names the first that does not.
"""

import csv
import io
import json
import pathlib
import subprocess
import sys
from decimal import Decimal

DEBIT_NORMAL = {"CASH"}


def main(tool: str, journal: str, accounts: str) -> None:
    ids, found = TOOLS[tool](journal)
    stated = {account["account"]: account for account in json.loads(pathlib.Path(accounts).read_text())["accounts"]}
    if not ids:
        sys.exit("the journal has no accounts")
    for name, account in ids.items():
        amount, currency = stated[account]["posted"].split()
        expected = Decimal(amount) if stated[account]["kind"] in DEBIT_NORMAL else -Decimal(amount)
        actual = found.get((name, currency), Decimal(0))
        if actual != expected:
            sys.exit(f"{account}: {tool} adds up {actual} {currency}, the ledger says {expected}")
    print(f"{len(ids)} accounts equal")


def hledger(journal: str) -> tuple[dict, dict]:
    """Accounts and their sums. The id of an account is a tag of its directive."""
    lines = pathlib.Path(journal).read_text().splitlines()
    directives = [line.removeprefix("account ").split("  ; id: ") for line in lines if line.startswith("account ")]
    ids = {parts[0]: parts[1] for parts in directives if len(parts) == 2}
    command = ["hledger", "-f", journal, "balance", "--flat", "--empty", "--no-total", "--layout=bare", "--output-format=csv"]
    table = csv.DictReader(io.StringIO(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return ids, {(row["account"], row["commodity"]): Decimal(row["balance"]) for row in table}


def beancount(journal: str) -> tuple[dict, dict]:
    """Accounts and their sums. The id of an account is in its metadata."""
    from beancount import loader
    from beancount.core import data, realization

    entries, errors, _ = loader.load_file(journal)
    if errors:
        sys.exit(str(errors[0]))
    ids = {entry.account: entry.meta["account"] for entry in entries if isinstance(entry, data.Open) and "account" in entry.meta}
    sums = {}
    for account in realization.iter_children(realization.realize(entries)):
        for position in account.balance:
            sums[(account.account, position.units.currency)] = position.units.number
    return ids, sums


TOOLS = {"hledger": hledger, "beancount": beancount}

if __name__ == "__main__":
    main(*sys.argv[1:])
