"""Which pictures a process takes: by a hash of the name, so that nobody has to ask anybody."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass

from ..inputs import InputError


@dataclass(frozen=True)
class Share:
    """This process, `rank` from 0, of `world` processes; local_rank: among those of this machine."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0

    @staticmethod
    def of_environment() -> Share:
        """Read what `torchrun` and others set (RANK, WORLD_SIZE, LOCAL_RANK); alone without them. Raises InputError.

        The processes need no word with each other, so no group is joined: they may run on machines that cannot talk,
        one after the other, and each ends when its own share is done.
        """
        names = {"rank": "RANK", "world": "WORLD_SIZE", "local_rank": "LOCAL_RANK"}
        given = {field: os.environ[name] for field, name in names.items() if name in os.environ}
        if "rank" not in given or "world" not in given:
            return Share()
        if not all(text.isdecimal() for text in given.values()):
            raise InputError(f"RANK, WORLD_SIZE and LOCAL_RANK are {given}; expected numbers, as torchrun sets them.")
        share = Share(**{field: int(text) for field, text in given.items()})
        if share.rank >= share.world:
            raise InputError(f"RANK is {share.rank} of {share.world} processes; expected one below WORLD_SIZE.")
        return share

    def takes(self, name: str) -> bool:
        """Whether a picture of this name is for this process; the same on every machine and in every version."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.world == self.rank

    @property
    def part(self) -> str:
        """What files of this process are called."""
        return f"{self.rank}-of-{self.world}"
