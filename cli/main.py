"""The command line's entry: its commands, and one clear sentence for every mistake."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from cli.checking import check
from cli.completion import completion
from cli.contract import contract
from cli.doctor import doctor
from cli.exporting import export
from cli.opening import open_dashboard
from cli.options import STAGE
from cli.output import escape_unencodable, give_up
from cli.reading import list_receipts, show, watch
from cli.reconciling import recheck, reconcile, retry
from cli.sealing import seal
from cli.stats import stats
from cli.text import printable
from cli.token import token
from cli.uploading import put
from cli.verifying import verify
from infra.stages import UsageError
from local.embedded import LOCAL

NOT_DONE = 2
INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C ended
CUT_OFF = 141  # the same of one whose reader went away, as `| head` does
NO_UTF_8 = "surrogates not allowed"
"""Python's reason: it has half of a surrogate pair for each byte of an argument that is none of UTF-8's."""


class _Recibo(click.Group):
    """A group that turns what a person or AWS did wrong into one sentence and exit status 2."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        escape_unencodable()
        return super().main(*arguments, **options)

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _faults_told():  # the help is printed here
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with _faults_told(ctx):
            return super().invoke(ctx)


@contextmanager
def _faults_told(ctx: click.Context | None = None) -> Iterator[None]:
    """End with the sentence and the exit status of what goes wrong meanwhile."""
    try:
        with _all_written():
            yield
        return
    except click.ClickException as error:
        _say(error.show)
        sys.exit(error.exit_code)
    except (UsageError, BotoCoreError) as error:
        reason = str(error)
    except ClientError as error:
        reason = _explained(error, ctx)
    except UnicodeEncodeError as error:
        if error.reason != NO_UTF_8:
            raise
        reason = f"AWS takes names in UTF-8 only, which {printable(error.object)} is not: give another, as by --key."
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        give_up(sys.stdout)
        sys.exit(CUT_OFF)
    except OSError as error:
        give_up(sys.stdout)
        reason = f"It could not be read or written: {printable(error)}."
    _say(partial(click.echo, f"recibo: {reason}", err=True))
    sys.exit(NOT_DONE)


@contextmanager
def _all_written() -> Iterator[None]:
    """Write what is still held back while a failure to do so can be told."""
    try:
        yield
    finally:
        if sys.stdout:
            sys.stdout.flush()


def _say(say: Callable[[], None]) -> None:
    """On standard error; where that takes nothing, the exit status has to do."""
    try:
        say()
    except OSError:
        give_up(sys.stderr)


def _explained(error: ClientError, ctx: click.Context | None) -> str:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in {"ResourceNotFoundException", "NoSuchBucket"}:
        stage = ctx.meta.get(STAGE) if ctx else None
        how = "make deploy" if stage in {None, LOCAL} else f"make deploy STAGE={stage}"
        return f"The stage is not deployed there ({printable(message).rstrip('.')}): run `{how}`."
    return f"AWS refused {error.operation_name}: {printable(' '.join(message.split()))[:200]} ({code})."


@click.group(cls=_Recibo, context_settings={"help_option_names": ["-h", "--help"]})
def recibo() -> None:
    """Recibo: a receipt for every file that lands in an S3 bucket."""


COMMANDS = (
    *(check, contract, put, list_receipts, show, watch, stats, export),
    *(reconcile, retry, recheck, seal, verify, open_dashboard, token, doctor, completion),
)
for command in COMMANDS:
    recibo.add_command(command)
