"""The ledger's programs, started as a user would start them."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

START_SECONDS = 60
SEAL_SECONDS = 30


class Failed(Exception):
    """What the run must show was not so."""


class Ledger:
    """A ledger in a folder of its own, its keys, its server, and commands against it."""

    def __init__(self, programs, folder):
        self.programs = Path(programs)
        self.folder = Path(folder)
        self.dir = self.folder / "ledger"
        self.export_dir = self.folder / "export"
        self.importer_key = self.folder / "importer"
        self.acks = self.folder / "acks"
        self.address = f"127.0.0.1:{free_port()}"
        self.server = None
        self.folder.mkdir(parents=True)
        self.command("init", self.dir)

    def start(self):
        """Starts the server and waits until it serves."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        command = [self.programs / "ledger-server", "--dir", self.dir, "--listen", self.address]
        command += ["--metrics-listen", "127.0.0.1:0", "--ready-file", ready]
        with open(self.folder / "server.log", "ab") as log:
            self.server = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + START_SECONDS
        while not ready.exists():
            if self.server.poll() is not None or time.monotonic() > until:
                raise Failed(f"the server does not serve; see {self.folder / 'server.log'}")
            time.sleep(0.01)

    def stop(self):
        """Stops the server gracefully."""
        if self.server and self.server.poll() is None:
            self.server.send_signal(signal.SIGTERM)
            if self.server.wait(START_SECONDS) != 0:
                raise Failed(f"the server ended with {self.server.returncode}")

    def kill(self):
        """kill -9, for the server's sudden end."""
        self.server.kill()
        self.server.wait()

    def register_importer(self):
        """Makes the importer's key and registers it: importer for old dates, owner for debits."""
        self.command("key", "new", self.importer_key)
        key = f"{self.importer_key}.key"
        roles = ["--party", "importer", "--roles", "importer,owner"]
        self.command("key", "register", key, *roles, "--key", self.dir / "operator.key")

    def importer(self, rows, mapping, *flags):
        """The import as a process."""
        keys = ["--key", f"{self.importer_key}.key", "--operator-key", self.dir / "operator.key"]
        arguments = ["import", rows, "--mapping", mapping, *keys, "--acks", self.acks, "--json", *flags]
        return subprocess.Popen(self.line(*arguments), stdout=subprocess.PIPE, text=True, env=self.environment())

    def command(self, *arguments):
        """Runs a command to its end; its JSON."""
        line = self.line(*arguments, "--json")
        done = subprocess.run(line, capture_output=True, text=True, env=self.environment(), check=False)
        return result(" ".join(str(part) for part in arguments), done.returncode, done.stdout, done.stderr)

    def seal(self):
        """Waits until a checkpoint covers every entry; its size."""
        until = time.monotonic() + SEAL_SECONDS
        while time.monotonic() < until:
            status = self.command("status")
            if status["checkpoint_size"] == status["next_log_index"]:
                return int(status["checkpoint_size"])
            time.sleep(0.05)
        raise Failed(f"no checkpoint covers the last entry after {SEAL_SECONDS} s")

    def cover(self, log_index):
        """Waits until a checkpoint covers an entry."""
        until = time.monotonic() + SEAL_SECONDS
        while int(self.command("status")["checkpoint_size"]) <= log_index:
            if time.monotonic() > until:
                raise Failed(f"no checkpoint covers log index {log_index} after {SEAL_SECONDS} s")
            time.sleep(0.05)

    def export(self):
        """Exports up to the newest checkpoint."""
        return self.command("export", "--out", self.export_dir)

    def verify(self):
        """The verdict of the offline verifier, which gets the export, the key and the ledger id, nothing else."""
        trust = ["--key", (self.dir / "log.vkey").read_text().strip()]
        trust += ["--ledger-id", (self.dir / "ledger-id").read_text().strip()]
        line = [self.programs / "ledger-verify", "archive", self.export_dir, *trust, "--json"]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        return result("ledger-verify archive", done.returncode, done.stdout, done.stderr)["verdict"]

    def line(self, *arguments):
        return [self.programs / "ledger", *arguments]

    def environment(self):
        own = {
            "LEDGER_SERVER": f"http://{self.address}",
            "LEDGER_DIR": str(self.dir),
            "LEDGER_STATE_DIR": str(self.folder / "state"),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
        return kept | own


def result(what, code, output, errors):
    if code != 0:
        raise Failed(f"{what}: exit code {code}: {(errors or output).strip()}")
    return json.loads(output)


def free_port():
    """A port that nobody listens on now; the server comes back on it after each kill."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
