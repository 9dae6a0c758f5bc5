"""Single results: kept whatever happens, of several processes, never mixed with another evaluation's."""

import numpy as np
import pytest

from sfe_models.evaluation import records as records_module
from sfe_models.evaluation.errors import EvaluationError
from sfe_models.evaluation.records import Records
from sfe_models.sharing import Share

SETTINGS = {"model": ["a.safetensors", 12], "metrics": ("l2",)}


def vectors(records, name):
    results = list(records.read().values())
    return np.concatenate(list(records.features(name, results)))


def test_what_is_appended_is_read_by_the_next_run(tmp_path):
    records = Records(tmp_path / "r.json", SETTINGS, dimensions=3)
    records.append("b", {"inversion": {"sfe": {"l2": 0.5}}}, {"real": np.arange(3.0), "sfe": np.ones(3)})
    records.append("a", {"skipped": "broken"})
    again = Records(tmp_path / "r.json", SETTINGS, dimensions=3)
    assert again.read() == records.read() and list(again.read()) == ["b", "a"]
    assert again.read()["b"]["inversion"]["sfe"]["l2"] == 0.5
    assert vectors(again, "real").tolist() == [[0, 1, 2]]


def test_a_killed_run_loses_only_what_was_half_written(tmp_path):
    records = Records(tmp_path / "r.json", SETTINGS, dimensions=2)
    records.append("a", {}, {"real": np.array([1.0, 2.0])})
    with (tmp_path / "r.part0.f32").open("ab") as file:
        file.write(np.array([7.0, 7.0, 7.0], "<f4").tobytes())  # a vector without its line, and half a vector
    with (tmp_path / "r.part0.jsonl").open("a") as file:
        file.write('{"key": "b", "inver')
    assert list(records.read()) == ["a"]
    again = Records(tmp_path / "r.json", SETTINGS, dimensions=2)
    again.append("b", {}, {"real": np.array([3.0, 4.0])})
    assert vectors(again, "real").tolist() == [[1, 2], [3, 4]]


def test_processes_share_the_keys_and_read_each_other(tmp_path):
    keys = [str(i) for i in range(7)]
    shares = [Share(rank, 3) for rank in range(3)]
    assert sorted(key for share in shares for key in share.every_nth(keys)) == keys
    parts = [Records(tmp_path / "r.json", SETTINGS, share, dimensions=1) for share in shares]
    for share, records in zip(shares, parts, strict=True):
        for key in share.every_nth(keys):
            records.append(key, {}, {"real": np.array([float(key)])})
    found = parts[0].wait_for(keys, lambda key, result: result is not None)
    assert sorted(found) == keys
    results = [found[key] for key in keys]
    assert sorted(np.concatenate(list(parts[0].features("real", results)))[:, 0]) == list(range(7))


def test_a_process_that_waits_says_for_what(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(records_module, "_POLL_SECONDS", 0.001)
    monkeypatch.setattr(records_module, "_PATIENCE_SECONDS", 0.0)
    first, second = (Records(tmp_path / "r.json", SETTINGS, Share(rank, 2)) for rank in range(2))
    first.append("a", {})
    asked = []

    def complete(key, result):
        asked.append(key)
        if asked.count("b") == 3:
            second.append("b", {})
        return result is not None

    assert sorted(first.wait_for(["a", "b"], complete)) == ["a", "b"]
    assert "1 of 2 pictures are other processes'" in caplog.text


def test_the_last_result_of_a_picture_counts(tmp_path):
    records = Records(tmp_path / "r.json", SETTINGS)
    records.append("a", {"editing": {}})
    records.append("a", {"editing": {"smile": {}}})
    assert records.read()["a"]["editing"] == {"smile": {}}


def test_another_evaluation_is_refused(tmp_path):
    Records(tmp_path / "r.json", SETTINGS)
    with pytest.raises(EvaluationError, match=r"another evaluation \(metrics differ\). Delete it"):
        Records(tmp_path / "r.json", SETTINGS | {"metrics": ("l2", "lpips")})
    Records(tmp_path / "other.json", SETTINGS | {"metrics": ()})


def test_a_damaged_part_is_named(tmp_path):
    Records(tmp_path / "r.json", SETTINGS)
    (tmp_path / "r.part0.jsonl").write_text("not JSON\n")
    with pytest.raises(EvaluationError, match="r.part0.jsonl is damaged"):
        Records(tmp_path / "r.json", SETTINGS)
