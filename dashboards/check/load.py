"""Load on a ledger that moves every panel: a stream of imported rows, and beside it single commands that are accepted,
refused, rejected, run out, or ask for what is not there."""

import contextlib
import secrets
import socket
import subprocess
import time
import uuid

from ledger import SETTINGS, LedgerFailed
from processes import stop

ROWS_PER_IMPORT = 5_000
# Rows that the next import repeats: answered as existing.
REPEATED_ROWS = 200
ACCOUNTS = 50
UNKNOWN_EVENT = "01890000-0000-7000-8000-000000000000"

REFUSED, MISSING = (2,), (2,)

MAPPING = """
source = "load"
[file]
delimiter = ";"
charset = "utf-8"
rows = "oldest-first"
within_day = "file"
[columns]
key = "row"
date = "day"
amount = "amount"
[date]
format = "yyyy-mm-dd"
[amount]
currency = "EUR"
decimal_mark = "."
[account]
id = "saver:{saver}"
kind = "CUSTOMER"
[[counter]]
account = { id = "cash", kind = "CASH", limit = "9999999999.00" }
[transfer]
purpose = "LOAD"
"""


class Load:
    """Load by rounds; `close` ends what still runs."""

    def __init__(self, ledger):
        self._ledger = ledger
        self._import = None
        self._imports = 0
        with open(ledger.path("mapping.toml"), "w", encoding="utf-8") as file:
            file.write(MAPPING)
        self._prepare()

    def round(self):
        """Some seconds of all kinds of load."""
        self._keep_importing()
        self._transfers()
        self._payments()
        self._ledger.run("event", "show", UNKNOWN_EVENT, exits=MISSING)
        self._too_many_connections()

    def close(self):
        """Ends the import."""
        if self._import is not None:
            stop(self._import)

    def _prepare(self):
        operator, service = self._ledger.key("operator"), self._ledger.key("service")
        roles = "initiator,processor,owner,importer"
        self._ledger.run(
            *("key", "register", service, "--party", "load", "--roles", roles, "--key", operator)
        )
        for account, kind in (("till", "external"), ("anna", "customer"), ("shop", "merchant")):
            self._ledger.run(*("account", "open", account, "--currency", "EUR", "--kind", kind, "--key", operator))
        self._transfer("till", "anna", "1000.00 EUR")

    def _transfer(self, debtor, creditor, amount, key="service", exits=(0,)):
        legs = ("--from", debtor, "--to", creditor, "--amount", amount)
        self._ledger.run("transfer", *legs, "--key", self._ledger.key(key), exits=exits)

    def _transfers(self):
        self._transfer("till", "anna", "5.00 EUR")
        self._transfer("anna", "shop", "1000000.00 EUR", exits=REFUSED)
        self._transfer("anna", "nobody", "1.00 EUR", exits=REFUSED)

    def _payments(self):
        """One is captured, paid out and returned all the same, one runs out after a second."""
        key = ("--key", self._ledger.key("service"))
        for timeout, captured in ((60, True), (1, False)):
            payment, amount = new_payment_id(), ("--amount", "2.00 EUR")
            names = ("--payment-id", payment, "--debtor", "anna", "--creditor", "shop")
            self._ledger.run("pay", "initiate", *names, *amount, *key)
            self._ledger.run("pay", "authorize", payment, *amount, "--timeout", str(timeout), *key)
            if captured:
                self._ledger.run("pay", "capture", payment, *amount, "--final", *key)
                # Refused from the second round on, when the shop only pays back what it owes.
                self._transfer("shop", "till", "2.00 EUR", exits=(0, *REFUSED))
                self._ledger.run("pay", "refund", payment, *amount, "--cause", "return", "--reason", "RETURN", *key)

    def _keep_importing(self):
        if self._import is not None:
            if self._import.poll() is None:
                return
            if self._import.returncode != 0:
                with open(self._ledger.path("import.log"), encoding="utf-8", errors="replace") as log:
                    raise LedgerFailed(f"ledger import: exit {self._import.returncode}: {log.read()[-2000:]}")
        first = self._imports * (ROWS_PER_IMPORT - REPEATED_ROWS)
        self._imports += 1
        rows = self._ledger.path("rows.csv")
        with open(rows, "w", encoding="utf-8") as file:
            file.write("row;day;saver;amount\n")
            for row in range(first, first + ROWS_PER_IMPORT):
                file.write(f"{row};2026-01-01;{row % ACCOUNTS};{row % 90 + 1}.00\n")
        keys = ("--key", self._ledger.key("service"), "--operator-key", self._ledger.key("operator"))
        command = self._ledger.command("import", rows, "--mapping", self._ledger.path("mapping.toml"), *keys)
        with open(self._ledger.path("import.log"), "wb") as log:
            self._import = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _too_many_connections(self):
        host, port = self._ledger.grpc_address.rsplit(":", 1)
        with contextlib.ExitStack() as held:
            for _ in range(2 * SETTINGS["server.max_connections"]):
                held.enter_context(socket.create_connection((host, int(port)), timeout=5))


def new_payment_id():
    """A UUID of version 7 (RFC 9562), of now."""
    random = secrets.randbits(74)
    milliseconds = int(time.time() * 1000)
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & (1 << 62) - 1))
