"""How long is waited between two tries of one question to AWS."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import NamedTuple

FIRST_WAIT, LONGEST_WAIT = 0.2, 10.0
"""Seconds at most before a try that follows one without gain; doubled with each, each shortened at random."""
NAP = 1.0
"""Seconds for which a wait does not look at its deadline: far less than the time kept for the verdict."""


class Patience:
    """Waits longer with each try that gained nothing."""

    def __init__(
        self, *, out_of_time: Callable[[], bool], sleep: Callable[[float], None], shortened: Callable[[], float]
    ) -> None:
        self._out_of_time = out_of_time
        self._sleep = sleep
        self._shortened = shortened
        self.stalled = 0
        """How many tries in a row have gained nothing."""

    def wait(self, error: Exception) -> None:
        """Wait before the next try, not at all if the last one gained something; raises `error` when out of time."""
        left = self._longest() * self._shortened()
        while not self._out_of_time():
            if left <= 0:
                return
            self._sleep(min(left, NAP))
            left -= NAP
        raise error

    def _longest(self) -> float:
        doublings = min(self.stalled - 1, 9)  # no more than reach the longest wait: 2 ** 1,100 is no float
        return min(LONGEST_WAIT, FIRST_WAIT * 2.0**doublings) if self.stalled else 0


class Pace(NamedTuple):
    """How waits are made: `sleep` takes seconds, `shortened` gives each wait's share of its longest, from 0 to 1."""

    sleep: Callable[[float], None] = time.sleep
    shortened: Callable[[], float] = random.random

    def patience(self, out_of_time: Callable[[], bool] = lambda: False) -> Patience:
        """The patience for one question, until it is out of time."""
        return Patience(out_of_time=out_of_time, sleep=self.sleep, shortened=self.shortened)


PACE = Pace()
"""In reality."""
