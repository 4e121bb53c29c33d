"""A real ledger: its data directory, its keys, its server, and the `ledger` command."""

import os
import re
import subprocess

from processes import await_condition, stop

START_SECONDS = 30
COMMAND_SECONDS = 30
# Small enough that a minute of load flushes often and meets the limit of connections.
SETTINGS = {"flush.max_entries": 2_000, "server.max_connections": 24}


class LedgerFailed(Exception):
    """A program ended otherwise than it must."""


class Ledger:
    """A new ledger with two keys, `operator` and `service`, and a server on free loopback ports."""

    def __init__(self, programs, folder):
        self._programs = programs
        self._folder = folder
        self._server = None
        self.grpc_address = self.metrics_address = None
        for name in ("operator", "service"):
            self.run("key", "new", self.path(name))
        self.run("init", self.path("data"), "--operator-key", self.key("operator"))
        self.start()

    def start(self, metrics_address="127.0.0.1:0"):
        """Starts the server; both addresses answer when this returns."""
        ready, log = self.path("ready"), self.path("server.log")
        if os.path.exists(ready):
            os.remove(ready)
        command = [
            os.path.join(self._programs, "ledger-server"),
            *("--dir", self.path("data"), "--ready-file", ready),
            *("--listen", "127.0.0.1:0", "--metrics-listen", metrics_address),
        ]
        for key, value in SETTINGS.items():
            command += ["--set", f"{key}={value}"]
        with open(log, "ab") as output:
            self._server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            await_condition(lambda: self._is_ready(ready, log), START_SECONDS, "ledger-server is not ready")
        except BaseException:
            self.stop()
            raise
        with open(ready, encoding="utf-8") as file:
            addresses = re.fullmatch(r"grpc=(\S+) metrics=(\S+)\n", file.read())
        self.grpc_address, self.metrics_address = addresses.groups()

    def stop(self):
        """Stops the server gracefully."""
        if self._server is not None:
            stop(self._server)

    def run(self, *arguments, exits=(0,)):
        """Runs `ledger`; raises LedgerFailed unless it exits with one of `exits`. Its standard output."""
        done = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
        if done.returncode not in exits:
            said = (done.stdout + done.stderr).strip()
            raise LedgerFailed(f"ledger {' '.join(arguments)}: exit {done.returncode}, not {exits}: {said}")
        return done.stdout

    def command(self, *arguments):
        """The command line of `ledger` for this server."""
        command = [os.path.join(self._programs, "ledger"), *arguments]
        if self.grpc_address:
            command += ["--server", f"http://{self.grpc_address}", "--ledger-dir", self.path("data")]
        return command

    def key(self, name):
        """File of a private key."""
        return self.path(f"{name}.key")

    def path(self, name):
        """A path in the folder of this run."""
        return os.path.join(self._folder, name)

    def _is_ready(self, ready, log):
        if self._server.poll() is not None:
            with open(log, encoding="utf-8", errors="replace") as file:
                raise LedgerFailed(f"ledger-server ended: {file.read()[-2000:]}")
        return os.path.exists(ready)
