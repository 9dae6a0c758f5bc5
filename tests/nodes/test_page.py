"""Laws of the core that is left to the page: only where one is missing, and always given back."""

import os
import sys
import types

import pytest
import torch


@pytest.fixture
def page(pack, monkeypatch):
    """The module, with a server whose page is open, and two cores of which torch takes both."""
    server = types.ModuleType("server")
    server.PromptServer = types.SimpleNamespace(instance=types.SimpleNamespace(client_id="page"))
    monkeypatch.setitem(sys.modules, "server", server)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    module = pack("nodes.page")
    monkeypatch.setattr(module, "PromptServer", server.PromptServer)
    yield module
    torch.set_num_threads(before)


def test_a_core_is_left_and_taken_back(page):
    with page.core_left(True):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_it_is_taken_back_as_soon_as_that_is_said(page):
    with page.core_left(True) as done:
        done()
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == 2


def test_a_failure_takes_it_back(page):
    with pytest.raises(RuntimeError), page.core_left(True):
        raise RuntimeError
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("case", ["not wanted", "no page", "cores enough", "one thread"])
def test_nothing_changes_where_none_is_missing(page, monkeypatch, case):
    if case == "no page":
        page.PromptServer.instance.client_id = None
    if case == "cores enough":
        monkeypatch.setattr(os, "cpu_count", lambda: 4)
    if case == "one thread":
        torch.set_num_threads(1)
    threads = torch.get_num_threads()
    with page.core_left(case != "not wanted"):
        assert torch.get_num_threads() == threads
    assert torch.get_num_threads() == threads
