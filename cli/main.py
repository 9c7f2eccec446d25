"""The command line's entry: its commands, and one clear sentence for every mistake."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from cli.checking import check
from cli.completion import completion
from cli.contract import contract
from cli.doctor import doctor
from cli.exporting import export
from cli.opening import open_dashboard
from cli.reading import list_receipts, show, watch
from cli.reconciling import recheck, reconcile, retry
from cli.sealing import seal
from cli.stats import stats
from cli.text import printable
from cli.token import token
from cli.uploading import put
from cli.verifying import verify
from infra.stages import UsageError

NOT_DONE = 2
INTERRUPTED = 130  # what a shell expects of a program that Ctrl-C ended
CUT_OFF = 141  # the same of one whose reader went away, as `| head` does


class _Recibo(click.Group):
    """A group that turns what a person or AWS did wrong into one sentence and exit status 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return _with_all_written(super().invoke, ctx)
        except (UsageError, BotoCoreError) as error:
            reason = str(error)
        except ClientError as error:
            reason = _explained(error)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            _give_up_output()
            sys.exit(CUT_OFF)
        except OSError as error:
            _give_up_output()
            reason = f"It could not be read or written: {printable(error)}."
        click.echo(f"recibo: {reason}", err=True)
        sys.exit(NOT_DONE)


def _with_all_written(invoke: Callable[[click.Context], Any], ctx: click.Context) -> Any:
    """Write what is still held back while a failure to do so can be told."""
    try:
        return invoke(ctx)
    finally:
        if sys.stdout:
            sys.stdout.flush()


def _give_up_output() -> None:
    """Let Python write the rest to nowhere when it ends; it would complain otherwise."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _explained(error: ClientError) -> str:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    if code in {"ResourceNotFoundException", "NoSuchBucket"}:
        return f"The stage is not deployed there ({message}): run `make deploy`."
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
