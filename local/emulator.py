"""Starts MiniStack so that a burst of uploads does not bring the machine down, and policies of keys are understood.

MiniStack starts a worker for each event that finds none free, and unpacks the function's whole zip for each: 500 files
at once are 500 processes and 35 GB. Here a zip is unpacked once, and a worker has hard links to those files.
Once a function has MOST_WORKERS, an event waits for a free one, as in Lambda's queue above the concurrency.

Where policies are enforced, KMS judges a call that names an alias by the key behind it, and a policy may ask which
aliases that key has (`kms:ResourceAliases`). MiniStack takes the alias for the resource, and knows no such question.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import kms

MOST_WORKERS = 16


class Copies:
    """The unpacked copy of each zip that was seen, by what is in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def of(self, archive: zipfile.ZipFile) -> Path:
        """Unpacked by whoever comes first; the others wait."""
        listed = repr([(each.filename, each.CRC, each.file_size) for each in archive.infolist()])
        copy = self._folder / sha256(listed.encode()).hexdigest()
        with self._lock:
            if not copy.exists():
                self._folder.mkdir(exist_ok=True)
                half = Path(tempfile.mkdtemp(dir=self._folder))  # what breaks off is no copy
                zipfile.ZipFile.extractall(archive, half)
                half.rename(copy)
        return copy


COPIES = Copies(Path(tempfile.gettempdir(), "unpacked"))  # the temporary folder is this emulator's own


class LinkedZip(zipfile.ZipFile):
    """A zip that is unpacked by links to a copy of it."""

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:  # noqa: ARG002
        """Every file of it; the worker's own zip is emptied then, for nobody reads it again."""
        shutil.copytree(COPIES.of(self), path, copy_function=os.link, dirs_exist_ok=True)
        if isinstance(self.filename, str):
            os.truncate(self.filename, 0)


class Pool:
    """Lends workers, and lets who finds none free wait."""

    def __init__(self, lend: Callable[..., tuple[Any, str]], take_back: Callable[[Any], None]) -> None:
        self._lend = lend
        self._take_back = take_back
        self._returned = threading.Condition()

    def acquire(self, *function: Any, **options: Any) -> tuple[Any, str]:
        """A worker, and whether it is a new one."""
        with self._returned:
            while True:
                worker, how = self._lend(*function, **{**options, "max_concurrency": MOST_WORKERS})
                if worker is not None:
                    return worker, how
                self._returned.wait(1)  # a worker that was killed is never given back

    def release(self, worker: Any) -> None:
        """Give a worker back."""
        self._take_back(worker)
        with self._returned:
            self._returned.notify_all()  # who waits may wait for another function's


def key_of(alias: str) -> str:
    """The key's ARN behind an alias's; as it is if there is none."""
    key = kms._keys.get(kms._aliases.get(alias))
    return str(key["Arn"]) if key else alias


def aliases_of(key: str) -> list[str]:
    """The names of a key's aliases, by its ARN."""
    identity = key.rpartition("/")[2]
    return [alias.rpartition(":")[2] for alias, target in kms._aliases.items() if target == identity]


def understand_keys() -> None:
    """Let policies of KMS be evaluated as AWS does."""
    resource, known = iam_actions.extract_resource_arn, iam_evaluator._resolve_condition_key

    def resource_of(service: str, *request: Any, **more: Any) -> str:
        found: str = resource(service, *request, **more)
        return key_of(found) if service == "kms" and ":alias/" in found else found

    def answer(question: str, context: Any) -> Any:
        if question.lower() == "kms:resourcealiases":
            return aliases_of(context.resource_arn)
        return known(question, context)

    iam_actions.extract_resource_arn, iam_evaluator._resolve_condition_key = resource_of, answer


def main() -> None:
    """Run MiniStack with what the environment says, as `python -m ministack` does."""
    understand_keys()
    pool = Pool(lambda_runtime.acquire_worker, lambda_runtime.release_worker)
    lambda_runtime.acquire_worker, lambda_runtime.release_worker = pool.acquire, pool.release
    lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": LinkedZip})
    from ministack import app  # noqa: PLC0415 (it takes the names above when it is imported)

    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
