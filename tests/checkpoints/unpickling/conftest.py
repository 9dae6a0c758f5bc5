"""Write pickles in which the stand-ins carry NVlabs' module names."""

import pickle
import sys
import types
from contextlib import contextmanager

import pytest
import torch
from checkpoints.unpickling import ada


@pytest.fixture
def nvlabs_names(monkeypatch):
    """Give the stand-ins NVlabs' names within a block."""

    @contextmanager
    def names():
        with monkeypatch.context() as patch:
            for module, member in (
                ("torch_utils.persistence", ada.reconstruct_persistent_obj),
                ("dnnlib.util", ada.EasyDict),
            ):
                patch.setitem(sys.modules, module.partition(".")[0], types.ModuleType("package"))
                fake = types.ModuleType(module)
                setattr(fake, member.__name__, member)
                patch.setitem(sys.modules, module, fake)
                patch.setattr(member, "__module__", module)
            yield

    return names


@pytest.fixture
def dump(nvlabs_names, tmp_path):
    def dump(content, name="network.pkl", protocol=None):
        path = tmp_path / name
        with nvlabs_names():
            path.write_bytes(pickle.dumps(content, protocol))
        return path

    return dump


@pytest.fixture
def torch_dump(nvlabs_names, tmp_path):
    def dump(content, name="network.pt", zipped=True):
        with nvlabs_names():
            torch.save(content, tmp_path / name, _use_new_zipfile_serialization=zipped)
        return tmp_path / name

    return dump
