"""Counts the bank's year a second time, from the CSV alone and by another method than the importer: every order of a
day is tried, none is reasoned about.

  python3 scripts/bank_year/count.py transactions.csv.gz
"""

import csv
import gzip
import itertools
import json
import sys
from collections import Counter
from decimal import Decimal

CENT = 100
ROUNDING = 10


def read(path):
    """Rows in the order of the file: (account, date, signed amount, stated balance), amounts in hundredths."""
    with gzip.open(path, "rt", encoding="latin-1", newline="") as lines:
        for row in csv.DictReader(lines, delimiter=";"):
            sign = {"PRIJEM": 1, "VYDAJ": -1, "VYBER": -1}[row["type"]]
            yield row["account_id"], row["date"], sign * hundredths(row["amount"]), hundredths(row["balance"])


def hundredths(text):
    number = Decimal(text) * CENT
    if number != int(number):
        raise ValueError(f"{text} has more than two decimals")
    return int(number)


def differences(order, before):
    """What each stated balance differs by from the one before it and the amount."""
    found = []
    for amount, stated in order:
        found.append(stated - before - amount)
        before = stated
    return found


def count(path):
    """Counts of a file, and the last balance that the bank states for each account."""
    days = {}
    for account, date, amount, stated in read(path):
        days.setdefault(account, {}).setdefault(date, []).append((amount, stated))
    found = Counter()
    below_zero = 0
    last = {}
    for account, dates in days.items():
        balance = 0
        for date in sorted(dates):
            orders = itertools.permutations(dates[date])
            best = min(orders, key=lambda order: cost(differences(order, balance)))
            found.update(differences(best, balance))
            below_zero += sum(stated < 0 for _, stated in best)
            balance = best[-1][1]
        last[account] = balance
    matched = found.pop(0, 0)
    roundings = {str(amount): rows for amount, rows in found.items() if abs(amount) == ROUNDING}
    other = {str(amount): rows for amount, rows in found.items() if abs(amount) != ROUNDING}
    rounded = sum(roundings.values())
    return {
        "rows": matched + rounded + sum(other.values()),
        "matched": matched,
        "rounded": rounded,
        "roundings": roundings,
        "other": sum(other.values()),
        "below_zero": below_zero,
        "last_balances": last,
    }


def cost(found):
    return sum(abs(amount) > ROUNDING for amount in found), sum(amount != 0 for amount in found)


if __name__ == "__main__":
    json.dump(count(sys.argv[1]), sys.stdout, indent=2)
    print()
