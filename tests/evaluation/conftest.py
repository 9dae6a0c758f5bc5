import pytest
from evaluation import small

from sfe_models.perception.attribute_network import save_attribute_network
from sfe_models.pipeline import Pipeline


@pytest.fixture(scope="session")
def small_networks():
    return small.networks()


@pytest.fixture(scope="session")
def small_pipeline(small_networks):
    return Pipeline(small_networks)


@pytest.fixture(scope="session")
def judge(small_networks):
    return small.fitted_judge(small_networks)


@pytest.fixture(scope="session")
def files(tmp_path_factory, judge):
    """A folder with model.safetensors and judge.safetensors."""
    folder = tmp_path_factory.mktemp("files")
    small.bundle(folder / "model.safetensors")
    save_attribute_network(judge, folder / "judge.safetensors")
    return folder
