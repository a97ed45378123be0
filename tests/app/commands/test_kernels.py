"""Kernels are compiled behind a message, and signals that come meanwhile end the program between two of them."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from numba.core import event

import app.commands.kernels
import engine
from app.commands.interrupt import Terminated
from app.commands.kernels import prepare_kernels, prepare_surface_kernels


@pytest.mark.parametrize("prepare", [prepare_kernels, prepare_surface_kernels])
def test_kernels_that_are_loaded_are_not_spoken_of(prepare: Any, capsys: pytest.CaptureFixture[str]) -> None:
    prepare()  # compiles what is missing
    capsys.readouterr()
    prepare()
    assert capsys.readouterr() == ("", "")


def test_kernels_that_are_compiled_are_told_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compute = engine.partition_slice

    def compiling(*arguments: Any) -> Any:
        for _ in range(3):
            with event.trigger_event("numba:compile"):
                pass
        return compute(*arguments)

    monkeypatch.setattr(engine, "partition_slice", compiling)
    prepare_kernels()
    assert capsys.readouterr().err == f"{app.commands.kernels._MESSAGE}\n"


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
@pytest.mark.parametrize(
    ("prepare", "name"), [(prepare_kernels, "partition_slice"), (prepare_surface_kernels, "extract_surface")]
)
def test_a_signal_while_kernels_are_compiled_waits_for_the_engine(
    number: signal.Signals, raised: type[BaseException], prepare: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[str] = []
    compute = getattr(engine, name)

    def interrupted(*arguments: Any, **named: Any) -> Any:
        signal.raise_signal(number)  # raises nothing here, in the middle of a compilation
        reached.append("the engine")
        return compute(*arguments, **named)

    monkeypatch.setattr(engine, name, interrupted)
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as caught:
        prepare()
    assert type(caught.value) is raised
    assert reached == ["the engine"]
    assert signal.getsignal(number) is before
