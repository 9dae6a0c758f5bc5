"""Ctrl-C, and a machine's request to end, wait for the step in progress, so that nothing of a run is lost."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Whether the run was asked to end."""

    asked = False


@contextmanager
def stop_request(processes: int = 1) -> Iterator[StopRequest]:
    """Note the first request to end (SIGINT, SIGTERM); the second one interrupts at once, as ever.

    Several processes would have to agree on the step: they are interrupted at once.
    """
    request = StopRequest()
    if processes > 1 or threading.current_thread() is not threading.main_thread():  # only that one may handle signals
        yield request
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def note(number: int, frame: object) -> None:
        request.asked = True
        logger.warning("Ending after this step with a checkpoint; once more ends at once, without one.")
        for one in _SIGNALS:
            signal.signal(one, signal.default_int_handler)

    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
