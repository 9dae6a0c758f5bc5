"""Shares: every picture is somebody's, nobody's is anybody else's."""

import pytest

from sfe_models.inputs import InputError
from sfe_models.sharing import Share

NAMES = [f"album {n % 7}/ü{n}.jpg" for n in range(400)]


@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_shares_part_the_pictures(world):
    taken = [sum(Share(rank, world).takes(name) for rank in range(world)) for name in NAMES]
    assert set(taken) == {1}
    counts = [sum(Share(rank, world).takes(name) for name in NAMES) for rank in range(world)]
    assert min(counts) > 0.6 * len(NAMES) / world


@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_keys_are_dealt(world):
    assert sorted(key for rank in range(world) for key in Share(rank, world).every_nth(NAMES)) == sorted(NAMES)


def test_processes_share_gpus_where_there_are_fewer():
    assert [Share(rank, 5, rank).gpu(2) for rank in range(5)] == [0, 1, 0, 1, 0]


def test_a_share_stays_the_same():
    assert [n for n in range(16) if Share(1, 4).takes(f"{n}.jpg")] == [1, 9, 13]


def test_names_that_are_no_text_have_a_share():
    assert Share(0, 1).takes(b"\xff.jpg".decode("utf-8", "surrogateescape"))


def test_the_environment_says_which(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert Share.of_environment() == Share(0, 1)
    for name, value in {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert Share.of_environment() == Share(5, 8, 1)
    monkeypatch.delenv("LOCAL_RANK")
    assert Share.of_environment() == Share(5, 8, 5)
    monkeypatch.setenv("WORLD_SIZE", "5")
    with pytest.raises(InputError, match="RANK is 5 of 5"):
        Share.of_environment()
    monkeypatch.setenv("WORLD_SIZE", "many")
    with pytest.raises(InputError, match="expected numbers"):
        Share.of_environment()
