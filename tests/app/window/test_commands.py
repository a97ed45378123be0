"""The table of commands: what it says is what menus, sessions and the README hold."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QObject
from PySide6.QtGui import QKeySequence

from app.jobs.opening import open_module
from app.state import actions
from app.state.session import OpenNetwork
from app.state.store import Store
from app.window.commands.commands import Commands
from app.window.commands.table import COMMANDS, MENUS, keys_by_menu
from engine import Neuron
from tests.app.conftest import DOMAIN, ROOT, random_module
from tests.app.on_screen import Driver, menus


@pytest.fixture(scope="module")
def networks() -> list[OpenNetwork]:
    return [open_module(random_module(seed), DOMAIN, f"network {seed}") for seed in range(2)]


def test_the_readme_has_the_keys_of_the_table() -> None:
    (section,) = re.findall(r"^### Keys\n(.*?)^### ", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    rows = [
        f"| {title} | {', '.join(f'`{key}` {words[0].lower()}{words[1:]}' for key, words in keys)} |"
        for title, keys in keys_by_menu()
    ]
    assert [line for line in section.splitlines() if line.startswith("|")][2:] == rows


def test_keys_are_written_as_qt_writes_them_and_none_means_two_things() -> None:
    keys = [command.key for command in COMMANDS.values() if command.key]
    assert [QKeySequence(key).toString() for key in keys] == keys
    assert len(keys) == len(set(keys))
    entries = [entry for menu in MENUS for entry in menu.entries if entry is not None]
    assert len({entry.name for entry in entries}) == len(entries)


def test_menus_are_those_of_the_table(empty_window: Driver) -> None:
    window = empty_window.window
    for menu, made in zip(MENUS, menus(window), strict=True):
        shown = [action for action in made.actions() if action.menu() is None]
        assert made.title() == menu.title
        for entry, action in zip(menu.entries, shown, strict=True):
            assert action.isSeparator() if entry is None else action is window.commands[entry.name]


def test_a_command_that_does_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="about"):
        Commands(Store(), QObject()).attach({})


@given(steps=st.lists(st.integers(0, len(COMMANDS) + 2), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_to_be_had_means_something(networks: list[OpenNetwork], steps: list[int]) -> None:
    """In every session that commands lead to, each that is enabled is an action on it, and its tick says its state."""
    store, owner = Store(), QObject()
    commands = Commands(store, owner)
    meant = [command for command in COMMANDS.values() if command.action is not None]
    openings = [actions.Open(opened, np.zeros(3)) for opened in networks]
    for step in steps:
        before = store.session
        if step < len(meant):
            commands[meant[step].name].trigger()
            assert store.session is before or meant[step].enabled(before)
        else:
            store.do([*openings, actions.SelectNeuron(Neuron(0, 1))][step % 3])
        for name, command in COMMANDS.items():
            if name not in ("undo", "redo"):
                assert commands[name].isEnabled() is command.enabled(store.session)
            if command.checked is not None:
                assert commands[name].isChecked() is command.checked(store.session)
