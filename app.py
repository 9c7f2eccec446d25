"""Recibo's Lambda functions: each decodes its event, makes one call, and encodes the answer."""

from typing import Any

from chalice.app import Chalice, CloudWatchEvent, S3Event, SQSEvent

from chalicelib import handling, wiring
from chalicelib.routes import routes

app = Chalice(app_name="recibo")
app.register_blueprint(routes)
settings = wiring.Settings.from_environment()


@app.on_s3_event(
    bucket=settings.bucket,
    prefix=settings.prefix or None,
    events=["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"],
)
def inspect(event: S3Event) -> None:
    """Every upload to the inbox gets its receipt; every deletion is recorded."""
    handling.take_event(wiring.intake(event.context), event.to_dict(), wiring.log(event.context))


@app.on_sqs_message(queue=settings.dead_letters, batch_size=1)
def last_resort(event: SQSEvent) -> None:
    """What crashed on every try, or was never tried, gets its receipt all the same."""
    handling.take_dead_letters(wiring.intake(event.context), event.to_dict(), wiring.log(event.context))


@app.schedule(settings.reconcile_schedule)
def reconcile(event: CloudWatchEvent) -> dict[str, Any]:
    """What the bucket has and the ledger does not gets its inspection; so does what died or failed on our side."""
    return handling.reconcile(
        wiring.reconcile(), settings.bucket, wiring.clock(event.context), wiring.log(event.context)
    )


@app.schedule(settings.seal_schedule)
def seal(event: CloudWatchEvent) -> list[dict[str, Any]]:
    """Every closed hour's receipts are sealed."""
    return handling.seal(
        wiring.sealer(), settings.bucket, wiring.clock(event.context), event.to_dict(), wiring.log(event.context)
    )


@app.schedule(settings.verify_schedule)
def verify(event: CloudWatchEvent) -> dict[str, Any]:
    """The last day's receipts, seals and uploads are recomputed and compared."""
    return handling.verify(
        wiring.verification(), settings.bucket, wiring.clock(event.context), wiring.log(event.context)
    )


@app.lambda_function(name="announce")
def announce(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Every final receipt that the ledger's stream tells of is announced on the event bus."""
    return handling.announce(wiring.announcer(), event, wiring.clock(context), wiring.log(context))


@app.lambda_function(name="batch")
def batch(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Every version that a job of S3 Batch Operations names gets its receipt, unless it has one."""
    return handling.take_tasks(wiring.backfill(), wiring.intake(context), event, wiring.log(context))
