"""The command: `python -m bench [--quick] [--markdown] [--sections speed,memory,…]`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench import memory, queries, routes, small, speed, startup
from bench.measure import JobFailedError
from bench.scale import FULL, QUICK, Scale
from bench.tables import Section, markdown, show

SECTIONS: Mapping[str, Callable[[Scale, Callable[[str, float], None]], Section]] = {
    "speed": speed.race_all,
    "memory": memory.hold,
    "start": startup.start,
    "package": startup.package,
    "small": small.handle,
    "queries": queries.read,
    "routes": routes.ask,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections and print what they found. 1: a floor is broken; 2: a measured process crashed."""
    asked = _asked(arguments)
    scale = QUICK if asked.quick else FULL
    try:
        sections = _run(asked.sections, scale)
    except JobFailedError as error:
        print(error, file=sys.stderr)
        return 2
    if asked.markdown:
        print(machine(), markdown(sections), sep="\n\n")
    else:
        console = Console()
        console.print(machine(), highlight=False)
        show(sections, console)
    broken = any(goal.floor and not goal.met for section in sections for goal in section.goals)
    return 1 if broken and scale.enforced else 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=sys.modules["bench"].__doc__)
    parser.add_argument("--quick", action="store_true", help="small files, one run each: shows that it works")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--sections", type=_sections, default=list(SECTIONS), help=f"some of {','.join(SECTIONS)}")
    return parser.parse_args(arguments)


def _sections(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no section {unknown[0]!r}: choose from {', '.join(SECTIONS)}")
    return names


def _run(names: Sequence[str], scale: Scale) -> list[Section]:
    """Progress goes to standard error, so that the tables can be piped."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1)

        def tell(what: str, done: float) -> None:
            bar.update(task, description=what, completed=done)

        return [SECTIONS[name](scale, tell) for name in names]


def machine() -> str:
    """What the figures were taken on."""
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


if __name__ == "__main__":
    sys.exit(main())
