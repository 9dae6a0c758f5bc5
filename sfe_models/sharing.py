"""Which part of the work a process takes, so that nobody has to ask anybody."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

from .inputs import InputError


@dataclass(frozen=True)
class Share:
    """This process, `rank` from 0, of `world` processes; local_rank: among those of this machine."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0

    @staticmethod
    def of_environment() -> Share:
        """Read what `torchrun` and others set (RANK, WORLD_SIZE, LOCAL_RANK); alone without them. Raises InputError.

        Where LOCAL_RANK is not said, the processes are taken to be of one machine. They need no word with each other,
        so no group is joined: they may run on machines that cannot talk, one after the other, and each ends when its
        own share is done.
        """
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        given = {name: os.environ[name] for name in names if name in os.environ}
        if "RANK" not in given or "WORLD_SIZE" not in given:
            return Share()
        if not all(text.isdecimal() for text in given.values()):
            raise InputError(f"RANK, WORLD_SIZE and LOCAL_RANK are {given}; expected numbers, as torchrun sets them.")
        rank, world = int(given["RANK"]), int(given["WORLD_SIZE"])
        if rank >= world:
            raise InputError(f"RANK is {rank} of {world} processes; expected one below WORLD_SIZE.")
        return Share(rank, world, int(given.get("LOCAL_RANK", rank)))

    def takes(self, name: str) -> bool:
        """Whether what has this name is for this process; the same on every machine and in every version."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.world == self.rank

    def every_nth(self, keys: Sequence[str]) -> list[str]:
        """Return every world-th key, beginning with the rank-th: the same ones in every run."""
        return list(keys[self.rank :: self.world])

    def gpu(self, count: int) -> int:
        """Return the number of this process's GPU among the `count` of its machine, shared where there are fewer."""
        return self.local_rank % count

    @property
    def part(self) -> str:
        """What files of this process are called."""
        return f"{self.rank}-of-{self.world}"
