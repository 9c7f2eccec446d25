"""How a verification's verdict looks on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chalicelib.verification import Chain, Defect, Problem, Standing, Verdict
from cli.text import number, printable

PROBLEMS_SHOWN = 20

LINES: Mapping[str, str] = {
    "uploads": "Uploads in the bucket",
    "receipts": "Receipts",
    "missing": "Missing",
    "double": "Double",
    "altered": "Altered",
    "removed": "Removed",
    "inserted": "Inserted",
    "unsealed": "Unsealed",
}
"""What is always told; the rest only if there is any."""

MORE: Mapping[str, str] = {
    "later_inspections": "of later inspections",
    "deletions": "of deletions, besides",
    "waiting": "waiting (just landed, or being inspected)",
    "expired": "expired (older than receipts are kept)",
    "not_due": "not due yet",
    "overdue": "in hours that should be sealed by now",
    "uncompared": "not compared (their seal or page is damaged, or expired)",
}
BESIDE: Mapping[str, tuple[str, ...]] = {
    "receipts": ("later_inspections", "deletions"),
    "missing": ("waiting", "expired"),
    "unsealed": ("not_due", "overdue", "uncompared"),
}


def answer(verdict: Verdict) -> RenderableType:
    """The verdict in plain words."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for name, words in LINES.items():
        count = verdict.counts[name]
        is_wrong = count and name not in ("uploads", "receipts")
        table.add_row(words, Text(number(count), style="red" if is_wrong else ""), Text(_beside(verdict, name), "dim"))
    chain = Text(f"Chain  {_chain(verdict.chain)}", style="red" if verdict.chain.standing is Standing.BROKEN else "")
    remarks = [Text(f"Note: {printable(remark)}", style="dim") for remark in verdict.remarks]
    return Group(table, chain, *remarks, *_conclusion(verdict))


def _beside(verdict: Verdict, name: str) -> str:
    told = [f"{MORE[one]}: {number(verdict.counts[one])}" for one in BESIDE.get(name, ()) if verdict.counts[one]]
    return "; ".join(told)


def _chain(chain: Chain) -> str:
    if not chain.first or not chain.last:
        return "no seal yet"
    seals = (
        f"{number(chain.seals)} seal{'' if chain.seals == 1 else 's'} from {_hour(chain.first)} to {_hour(chain.last)}"
    )
    match chain.standing:
        case Standing.ANCHORED:
            return f"{seals}, anchored in {chain.anchor}"
        case Standing.CONSISTENT if chain.anchor:
            return f"{seals}, only consistent: nothing of it is in {chain.anchor} yet"
        case Standing.CONSISTENT:
            return f"{seals}, only consistent: the stage has no anchor"
    return f"{seals}, BROKEN"


def _conclusion(verdict: Verdict) -> Iterator[RenderableType]:
    since = f" since {_hour(verdict.since)}" if verdict.since else ""
    if verdict.is_well:
        yield Text(f"All is well{since}.", style="green")
        return
    shown = verdict.problems[:PROBLEMS_SHOWN]
    for problem in shown:
        subject = _subject(problem, verdict.bucket)
        yield Text.assemble((f"✗ {problem.defect}", "red"), f"  {subject}: {printable(problem.why)}.")
    more = sum(verdict.counts[defect] for defect in Defect) - len(shown)
    if more > 0:
        yield Text(f"and {number(more)} more: --json lists them.")
    yield Text(f"NOT all is well{since}.", style="red")


def _subject(problem: Problem, bucket: str) -> str:
    """The item in words: what people know it by."""
    kind, _, name = problem.pk.partition("/")
    hour = f" of the seal of {_hour(problem.hour)}" if problem.hour else ""
    match kind:
        case "#seals" if problem.hour:
            part = int(problem.sk) % 1_000
            return f"the seal of {_hour(problem.hour)}{f', part {part}' if part else ''}"
        case "#page":
            return f"the page {printable(name)}{hour}"
        case "#rollup":
            return f"the counts {printable(name)}{hour}"
        case "#reconcile":
            return f"the note that reconcile left about {printable(name)}"
    key, mark, version = problem.pk.removeprefix(f"{bucket}/").rpartition("#")
    named = f"{key}, version {version}" if mark else problem.pk
    return f"{printable(named)}, inspection {printable(problem.sk)}"


def _hour(hour: datetime) -> str:
    return f"{hour.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
