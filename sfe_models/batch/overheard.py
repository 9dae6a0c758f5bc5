"""The library's warnings while pictures are worked on, kept apart by thread in place of lines across a progress bar."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LIBRARY = __name__.rpartition(".batch")[0]


class Overheard(logging.Handler):
    """Collect warnings of each thread for itself."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self._here = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        said = getattr(self._here, "said", None)
        if said is not None:
            said.append(record.getMessage())

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Give the list that warnings of this thread are put into."""
        before, said = getattr(self._here, "said", None), []
        self._here.said = said
        try:
            yield said
        finally:
            self._here.said = before


@contextmanager
def overheard() -> Iterator[Overheard]:
    """Take the library's warnings in place of whoever else would print them."""
    logger, handler = logging.getLogger(_LIBRARY), Overheard()
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield handler
    finally:
        logger.propagate = before
        logger.removeHandler(handler)
