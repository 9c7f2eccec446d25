"""The seam to whoever wants to know something of a long table."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from chalicelib.inspection.sql.batch import Batch
from chalicelib.inspection.sql.database import Database

A = TypeVar("A")


class Question(Protocol, Generic[A]):
    """Something that is asked of each batch of a table, one after the other in the order of the file.

    `ask` and `end` are called in a thread of their own and should do little but run statements; they may keep temporary
    tables. Their answers are taken in the inspection's own thread, in order. How the table is cut into batches means
    nothing.
    """

    @property
    def reads_often(self) -> bool:
        """Whether it reads the next batch more than once, or asks for the numbers of its records."""

    def ask(self, database: Database, batch: Batch) -> A:
        """The answer for a batch, which is loaded: the view `batch`; kept if any question reads it often."""

    def take(self, answer: A, batch: Batch) -> None:
        """Take the answer; findings are only made here."""

    def end(self, database: Database) -> None:
        """All batches were taken: ask what is left to ask, before what was made in the database is gone."""
