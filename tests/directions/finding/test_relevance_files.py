"""Files of statistics and relevance: the published ones are split rightly, and no pickle runs anything."""

import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from sfe_models.checkpoints.errors import CheckpointError
from sfe_models.directions.base import DirectionError
from sfe_models.directions.finding.relevance import ChannelRelevance
from sfe_models.directions.finding.relevance_files import (
    load_relevance,
    read_published_relevance,
    read_published_statistics,
    save_relevance,
)
from sfe_models.directions.finding.statistics import ChannelStatistics
from sfe_models.generators.base import StyleSpace

# The channels of FFHQ 1024, RGB layers included, in the order of S_mean_std.
FFHQ_26 = [512] * 15 + [256] * 3 + [128] * 3 + [64] * 3 + [32] * 2


def test_files_come_back_bit_by_bit(tmp_path):
    mean, std = (StyleSpace((torch.rand(1, 3),) * 3, (torch.rand(1, 2),) * 2) for _ in range(2))
    planted = ChannelRelevance(ChannelStatistics(mean, std), torch.randn(6, 4), "human faces", "by hand")
    again = load_relevance(save_relevance(planted, tmp_path / "sub" / "relevance.safetensors"))
    assert torch.equal(again.matrix, planted.matrix)
    assert (again.subject, again.settings, again.convs) == ("human faces", "by hand", 2)
    for kind in ("mean", "std"):
        a, b = getattr(again.statistics, kind), getattr(planted.statistics, kind)
        assert all(map(torch.equal, (*a.convs, *a.rgbs), (*b.convs, *b.rgbs)))


def test_another_safetensors_file_is_no_relevance(tmp_path):
    save_file({"a": torch.ones(3)}, tmp_path / "a.safetensors")
    with pytest.raises(DirectionError, match="not one of channel relevance"):
        load_relevance(tmp_path / "a.safetensors")


def write_published(folder, lists=None, protocol=3):
    random = np.random.default_rng(0)
    lists = lists or [[random.random(n, dtype=np.float32) for n in FFHQ_26] for _ in range(2)]
    path = folder / "S_mean_std"
    path.write_bytes(pickle.dumps(lists, protocol=protocol))
    return path, lists


@pytest.mark.parametrize("protocol", [3, 4])
def test_published_statistics_are_split_into_convolutions_and_rgb_layers(tmp_path, protocol):
    path, (mean, std) = write_published(tmp_path, protocol=protocol)
    got = read_published_statistics(path)
    assert [s.shape[1] for s in got.std.convs] == [512] * 10 + [256, 256, 128, 128, 64, 64, 32]
    assert [s.shape[1] for s in got.std.rgbs] == [512] * 5 + [256, 128, 64, 32]
    # Numbers among the 26 and among the 17, as the published style space directions list them.
    for listed, conv in ((2, 1), (3, 2), (5, 3), (6, 4), (8, 5), (9, 6), (11, 7), (12, 8), (15, 10)):
        assert np.array_equal(got.std.convs[conv][0].numpy(), std[listed])
    assert np.array_equal(got.mean.rgbs[8][0].numpy(), mean[25])


@pytest.mark.parametrize("rows", [5376, 6048])
def test_published_relevance_takes_whole_convolutions(tmp_path, rows):
    path, _ = write_published(tmp_path)
    np.save(tmp_path / "delta_i_c.npy", np.ones((rows, 4), dtype=np.float32))
    relevance = read_published_relevance(tmp_path / "delta_i_c.npy", path)
    assert relevance.convs == {5376: 11, 6048: 17}[rows]
    np.save(tmp_path / "delta_i_c.npy", np.ones((rows - 1, 4), dtype=np.float32))
    with pytest.raises(DirectionError, match=f"{rows - 1} rows"):
        read_published_relevance(tmp_path / "delta_i_c.npy", path)


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_malicious_pickle_is_refused_and_nothing_runs(tmp_path):
    path, lists = write_published(tmp_path)
    path.write_bytes(pickle.dumps([*lists, Malicious(tmp_path / "ran")], protocol=3))
    with pytest.raises(CheckpointError, match="mkdir, refused"):
        read_published_statistics(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "content",
    [
        [[np.array([Malicious("x")], dtype=object)], []],
        [[1, 2], [3, 4]],
        {"mean": 1},
        5,
        [[np.ones(3)], [np.ones(3)]],
        [[np.ones(3)] * 5, [np.ones(4)] * 5],
        [[np.ones(3, dtype="int64")] * 5] * 2,
        [[np.full(3, np.nan)] * 5] * 2,
        [[-np.ones(3)] * 5] * 2,
    ],
)
def test_other_pickles_are_refused(tmp_path, content):
    (tmp_path / "S_mean_std").write_bytes(pickle.dumps(content, protocol=3))
    with pytest.raises((CheckpointError, DirectionError)):
        read_published_statistics(tmp_path / "S_mean_std")


def test_a_shortened_array_is_refused(tmp_path):
    path, _ = write_published(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"M\x00\x02\x85", b"M\x00\x03\x85", 1))  # the first shape: 768 instead of 512
    with pytest.raises(CheckpointError, match="768"):
        read_published_statistics(path)
