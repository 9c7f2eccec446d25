"""The command line's entry: its commands, and one clear sentence for every mistake."""

from __future__ import annotations

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

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return _with_all_written(super().invoke, ctx)
        except (UsageError, BotoCoreError) as error:
            reason = str(error)
        except ClientError as error:
            reason = _explained(error)
        except UnicodeEncodeError as error:
            if error.reason != NO_UTF_8:
                raise
            reason = (
                f"AWS takes names in UTF-8 only, which {printable(error.object)} is not: give another, as by --key."
            )
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            give_up(sys.stdout)
            sys.exit(CUT_OFF)
        except OSError as error:
            give_up(sys.stdout)
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
