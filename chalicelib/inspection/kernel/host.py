"""Runs the kernel."""

from __future__ import annotations

import atexit
import resource
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from chalicelib.inspection.limits import Limits

_COMPILED = Path(__file__).with_name("kernel.wasm")


class Kernel:
    """One instance of the kernel, with memory of its own: whatever uses it in an inspection has another one."""

    def __init__(self) -> None:
        runtime, engine, module = _loaded()
        self._store = runtime.Store(engine)
        self._exports = runtime.Instance(self._store, module, []).exports(self._store)
        self.text_bytes = self.number("text_bytes")
        """The longest text that it looks at."""
        self._text = self.part("text_at", self.text_bytes)
        self._asked = self.numbers("asked_at", self.number("arguments"))
        self._answer = self.numbers("answer_at", self.number("answers"))

    def load(self, text: bytes | memoryview) -> None:
        """Make this the text that it looks at; raises ValueError if it is too long."""
        self._text[: len(text)] = text

    def load_from(self, text: bytes, at: int) -> tuple[int, int]:
        """Look at a text from there on, as much of it as there is room for; where that begins and ends."""
        end = min(at + self.text_bytes, len(text))
        self.load(memoryview(text)[at:end])
        return at, end

    def ask(self, question: str, *arguments: int) -> Sequence[int]:
        """Call one of its functions, and give the answers, which hold until the next call."""
        for at, argument in enumerate(arguments):  # to pass them as such takes several times as long
            self._asked[at] = argument
        self._call(question)
        return self._answer

    def number(self, name: str) -> int:
        """What one of its functions gives that takes nothing."""
        return int(self._call(name))

    def part(self, name: str, size: int) -> memoryview:
        """As many bytes of its memory, which never grows and so never moves, from where that function says."""
        return memoryview(self._exports["memory"].get_buffer_ptr(self._store, size, self.number(name))).cast("B")

    def numbers(self, name: str, count: int) -> memoryview:
        """As many numbers in it."""
        return self.part(name, 4 * count).cast("I")

    def _call(self, name: str) -> Any:
        return self._exports[name](self._store)


def _configuration(runtime: Any) -> Any:
    """Each memory reserves some GiB of addresses, so that what is beyond it need not be checked for at each access.

    Where addresses are limited (`ulimit -v`) it reserves none: JSON takes the kernel half as long again.
    """
    configuration = runtime.Config()
    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        configuration.memory_reservation = configuration.memory_reservation_for_growth = 0
        configuration.memory_guard_size = 0
    return configuration


@cache
def _loaded() -> tuple[Any, Any, Any]:
    """The runtime, an engine, and the kernel compiled for this processor: a tenth of a second, once for a process."""
    atexit.register(_loaded.cache_clear)  # it cannot be freed once modules are gone
    runtime = import_module("wasmtime")
    engine = runtime.Engine(_configuration(runtime))
    return runtime, engine, runtime.Module(engine, _COMPILED.read_bytes())


def kernel_for(text_bytes: int, limits: Limits) -> Kernel | None:
    """A kernel to go on with a text of which so much has been read, unless that is not worth loading it."""
    is_loaded = _loaded.cache_info().currsize > 0
    return Kernel() if is_loaded or text_bytes >= limits.kernel_load_bytes else None
