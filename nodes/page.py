"""The page of who asked for a run: what it is told while nodes are at work, and a core to draw with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from server import PromptServer


def is_open() -> bool:
    """Whether a page asked for the run; not so for runs over the API alone."""
    return PromptServer.instance.client_id is not None


def tell(event: str, what: dict) -> None:
    """Send a message to the page that asked for the run."""
    server = PromptServer.instance
    server.send_sync(event, what, server.client_id)


@contextmanager
def core_left(wanted: bool) -> Iterator[Callable[[], None]]:
    """Leave the page a core, if it is wanted and torch would take all of this machine's; gives what ends that early.

    torch cuts every step into a part for each core and waits for the last one. Where the page draws on one of two
    cores, that takes longer than the work on the other alone (tests/browser/measure_latency.mjs).
    """
    threads = torch.get_num_threads()
    if wanted and is_open() and threads >= max(2, os.cpu_count() or 1):
        torch.set_num_threads(threads - 1)
    try:
        yield partial(torch.set_num_threads, threads)
    finally:
        torch.set_num_threads(threads)
