"""A real browser, Debian's Chromium by Playwright, and what every page of it must keep to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)
WAIT_MS = 30_000
expect.set_options(timeout=WAIT_MS)

needs_chromium = pytest.mark.skipif(
    not CHROMIUM and not os.environ.get("CI"), reason="Chromium is not installed: apt-get install chromium"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A page, and what went on in it: messages of its console, errors, and where its requests went."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def violations(self) -> list[str]:
        """What axe-core finds against WCAG 2.2 AA and its best practices."""
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {one['help']} ({one['nodes'][0]['html'][:200]})" for one in found]


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium, for the length of the block."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield made
        made.close()


@contextmanager
def visit(
    chromium: Browser, url: str, *, language: str = "en-US", scheme: Any = "light", viewport: ViewportSize = WIDE
) -> Iterator[Visit]:
    """A page of a context of its own."""
    context = chromium.new_context(locale=language, color_scheme=scheme, viewport=viewport, accept_downloads=True)
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    visited = Visit(page=page)
    page.on("console", lambda message: visited.complaints.extend([message.text] if message.type == "error" else []))
    page.on("pageerror", lambda error: visited.complaints.append(str(error)))
    page.on("request", lambda request: visited.hosts.add(urlsplit(request.url).netloc))
    page.goto(url)
    expect(page.locator("#controls select")).to_have_count(3)  # by then its scripts have run
    yield visited
    context.close()
