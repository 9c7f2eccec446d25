"""Takes a long table batch by batch, and has its questions answered in a thread beside the pass over the bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from typing import Any

from chalicelib.inspection.limits import Limits, OutOfTimeError
from chalicelib.inspection.sql.batch import Batch
from chalicelib.inspection.sql.database import Database
from chalicelib.inspection.sql.question import Question

_PATIENCE_SECONDS = 0.2


class Batches:
    """Takes the records of delimited text and asks the questions, while more records come.

    One batch is asked about while the next is collected. What is raised meanwhile is raised here.
    """

    def __init__(
        self,
        questions: Sequence[Question[Any]],
        *,
        delimiter: str,
        out_of_time: Callable[[], bool] = lambda: False,
        batch_bytes: int = Limits().engine_batch_bytes,
    ) -> None:
        self._questions = questions
        self._delimiter = delimiter
        self._out_of_time = out_of_time
        self._batch_bytes = batch_bytes
        self._exits = ExitStack()
        self._database = self._exits.enter_context(Database.lent())
        self._thread = self._exits.enter_context(ThreadPoolExecutor(max_workers=1, thread_name_prefix="sql"))
        self._batch = Batch(width=0, delimiter=delimiter)
        self._asked: tuple[Batch, Future[list[Any]]] | None = None

    def begin(self, names: Sequence[str], *, line: int) -> None:  # noqa: ARG002
        """Learn how many columns there are."""
        self._batch = Batch(width=len(names), delimiter=self._delimiter)

    def take(self, run: bytes, *, row: int, line: int) -> None:
        """Add records to the batch, which is asked about once it is large."""
        self._batch.add(run, row=row, line=line)
        if self._batch.size >= self._batch_bytes:
            self._send()

    def finish(self) -> None:
        """Have the rest answered."""
        if self._batch.size:
            self._send()
        self._receive()
        for question in self._questions:
            self._wait(self._thread.submit(question.end, self._database))

    def close(self) -> None:
        """Stop whatever still runs, and leave the engine to the next inspection."""
        if self._asked:
            self._stop(self._asked[1])
        self._exits.close()

    def _send(self) -> None:
        self._receive()
        batch, self._batch = self._batch, Batch(width=self._batch.width, delimiter=self._delimiter)
        self._asked = batch, self._thread.submit(self._ask, batch)

    def _ask(self, batch: Batch) -> list[Any]:
        batch.load(self._database)
        if any(question.reads_often for question in self._questions):
            self._database.keep()
        return [question.ask(self._database, batch) for question in self._questions]

    def _receive(self) -> None:
        if self._asked is None:
            return
        batch, asked = self._asked
        answers = self._wait(asked)
        self._asked = None
        for question, answer in zip(self._questions, answers, strict=True):
            question.take(answer, batch)

    def _wait(self, asked: Future[Any]) -> Any:
        while not wait([asked], timeout=_PATIENCE_SECONDS).done:
            if self._out_of_time():
                self._stop(asked)
                raise OutOfTimeError
        return asked.result()

    def _stop(self, asked: Future[Any]) -> None:
        """Interrupt until it ends: between two statements there is nothing to be interrupted."""
        while not wait([asked], timeout=0.01).done:
            self._database.interrupt()
        self._asked = None
