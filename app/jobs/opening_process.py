"""Opening files in a process of its own.

torch takes seconds to import, which now pass beside those of the window, and its memory stays out of the window's
process; a file that makes the reading crash leaves the window as it is.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.imports import many_imports

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from pathlib import Path

    from app.state.session import OpenNetwork
    from sdf_models import Reading

_POLL_SECONDS: Final = 0.01
_PATIENCE_SECONDS: Final = 0.1  # with a reading that was cancelled; then its process ends
_LAST_WORDS_SECONDS: Final = 1.0  # between the end of its connection and its own
_CANCEL: Final = b""


@dataclass(frozen=True, eq=False, slots=True)
class _Child:
    process: BaseProcess
    connection: Connection

    def end(self) -> None:
        """Whatever it does."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.connection.close()

    def why_it_ended(self) -> str:
        """Of a process that has ended by itself, or does so now: its side of the connection is closed."""
        self.process.join(_LAST_WORDS_SECONDS)
        code = self.process.exitcode
        if code is None or code >= 0:
            return "has ended" if code is None else f"has ended with code {code}"
        name = signal.Signals(-code).name
        if name == "SIGKILL":  # which Windows does not have
            return "was killed, as the system does with one that needs more memory than there is"
        return f"was ended by {name}"


class OpeningProcess:
    """Opens files as `open_file` does, one at a time, for any thread.  The process starts when it is first needed, or
    with `start`, and stays for the next file until `close`.
    """

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._child: _Child | None = None
        self._closed = False

    def start(self) -> None:
        """Begin with what takes long, the imports, and return at once."""
        if self._child is not None:
            return
        spawn = multiprocessing.get_context("spawn")  # a copy of this process would have its threads' locks
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=_serve, args=(theirs,), name="splinescope-opening", daemon=True)
        with _without_interrupts():
            process.start()
        theirs.close()
        self._child = _Child(process, ours)

    def close(self) -> None:
        """End the process; what it is opening is cancelled, and what others want to open later."""
        self._closed = True
        child = self._child
        if child is not None:
            with suppress(ValueError):  # it has ended meanwhile
                child.process.kill()  # so that nobody waits for what it is sending
        with self._busy:
            self._end()

    def open_file(self, path: Path, cancelled: Callable[[], bool], reading: Reading | None = None) -> OpenNetwork:
        """See `app.jobs.opening.open_file`."""
        from app.jobs.opening import OpeningError

        def stopped() -> bool:
            return self._closed or cancelled()

        with self._turn(stopped):
            try:
                self.start()
                result = self._ask(path, stopped, reading)
            except (EOFError, OSError) as error:
                why = "did not start" if self._child is None else self._child.why_it_ended()
                self._end()
                if self._closed:
                    raise _cancelled() from error
                raise OpeningError(
                    f"{path}: the process that was to read it {why}; close other programs and open it again, or see "
                    "what `splinescope info` says of it"
                ) from error
        if isinstance(result, Exception):
            raise result
        return result

    @contextmanager
    def _turn(self, stopped: Callable[[], bool]) -> Iterator[None]:
        while not self._busy.acquire(timeout=_POLL_SECONDS):
            if stopped():
                raise _cancelled()
        try:
            if stopped():
                raise _cancelled()
            yield
        finally:
            self._busy.release()

    def _ask(self, path: Path, stopped: Callable[[], bool], reading: Reading | None) -> OpenNetwork | Exception:
        assert self._child is not None
        connection = self._child.connection
        connection.send_bytes(pickle.dumps((path, reading)))
        while not connection.poll(_POLL_SECONDS):
            if stopped():
                connection.send_bytes(_CANCEL)
                if connection.poll(_PATIENCE_SECONDS):
                    _receive(connection)
                else:
                    self._end()
                raise _cancelled()
        return _receive(connection)

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """A process that is started meanwhile never hears of Ctrl-C in the terminal, which is for the window."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _cancelled() -> Exception:
    from engine import Cancelled

    return Cancelled("cancelled by a newer request")


def _serve(connection: Connection) -> None:
    """What the process does: it answers one request after the other until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it could not be blocked before
    with many_imports():
        import sdf_models  # noqa: F401  beside the window's own imports
        from app.jobs import opening  # noqa: F401

    def cancelled() -> bool:
        return connection.poll()

    while True:
        try:
            request = connection.recv_bytes()
            if request == _CANCEL:  # it came after the answer
                continue
            path, reading = pickle.loads(request)
            _send(connection, _opened(path, cancelled, reading))
        except (EOFError, ConnectionError):
            return


def _opened(path: Path, cancelled: Callable[[], bool], reading: Reading | None) -> OpenNetwork | Exception:
    from app.jobs.opening import OpeningError, open_file
    from engine import Cancelled

    try:
        return open_file(path, cancelled, reading)
    except (OpeningError, Cancelled) as error:
        return error
    except Exception as error:  # a process has no caller to raise to: the one who asked is told instead
        error.add_note(traceback.format_exc())
        return error


def _send(connection: Connection, result: OpenNetwork | Exception) -> None:
    """Arrays go beside the pickle, as bytes: they come out read-only, and without copies of them in between."""
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(result, protocol=5, buffer_callback=buffers.append)
    connection.send_bytes(len(buffers).to_bytes(8, "little") + data)
    for buffer in buffers:
        connection.send_bytes(buffer.raw())


def _receive(connection: Connection) -> OpenNetwork | Exception:
    data = connection.recv_bytes()
    buffers = [connection.recv_bytes() for _ in range(int.from_bytes(data[:8], "little"))]
    result: OpenNetwork | Exception = pickle.loads(memoryview(data)[8:], buffers=buffers)
    return result
