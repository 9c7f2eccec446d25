"""The embedded SQL engine (DuckDB), for tables that are long: what is asked of them is answered batch by batch.

Nothing else knows the engine. It is imported when the first long table comes, never before.
"""

from chalicelib.inspection.sql.batch import Batch
from chalicelib.inspection.sql.batches import Batches
from chalicelib.inspection.sql.checks import Checks
from chalicelib.inspection.sql.database import Database
from chalicelib.inspection.sql.expressions import mistakes
from chalicelib.inspection.sql.judge import Judge
from chalicelib.inspection.sql.native_checks import NativeChecks
from chalicelib.inspection.sql.question import Question

__all__ = ["Batch", "Batches", "Checks", "Database", "Judge", "NativeChecks", "Question", "mistakes"]
