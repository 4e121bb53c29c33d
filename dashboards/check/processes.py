"""Processes the check starts, and conditions it waits for."""

import subprocess
import time

_POLL_SECONDS = 0.05


class TooLate(Exception):
    """A condition did not come about in time."""


def await_condition(holds, seconds, otherwise):
    """Returns the first true value of `holds()`; raises TooLate after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := holds()):
        if time.monotonic() > deadline:
            raise TooLate(f"{otherwise} (waited {seconds} s)")
        time.sleep(_POLL_SECONDS)
    return value


def stop(process, seconds=15):
    """Ends a process that this program started: asks, then kills."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
