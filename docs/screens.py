"""Takes the pictures of the dashboard that the documents show: `python -m docs.screens`.

It needs Chromium, and an AWS with receipts: that of a running `make run`, whose link it opens.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

from local.serving import running_link

PICTURES = Path(__file__).parent / "pictures"
SCREENS: dict[str, dict[str, Any]] = {
    "dashboard": {"locale": "en-US", "color_scheme": "light", "viewport": {"width": 1240, "height": 980}},
    "dashboard-receipt": {"locale": "pt-BR", "color_scheme": "dark", "viewport": {"width": 1240, "height": 900}},
    "dashboard-columns": {"locale": "en-US", "color_scheme": "light", "viewport": {"width": 1240, "height": 620}},
}
SHOWN = {"dashboard-receipt": ("orders-ragged", ".finding"), "dashboard-columns": ("orders 2026-11-23", ".columns")}
"""Whose receipt a picture shows, and which part of it."""


def main() -> int:
    """Take them; 2 if there is nothing to take them of."""
    link, chromium = running_link(), shutil.which("chromium")
    if link is None or chromium is None:
        print("Start `make run` in another terminal, and install Chromium, then run this again.", file=sys.stderr)
        return 2
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, look in SCREENS.items():
            page = browser.new_context(**look).new_page()
            _show(page, link, *SHOWN.get(name, ("", "")))
            page.screenshot(path=PICTURES / f"{name}.png")
            print(f"docs/pictures/{name}.png")
        browser.close()
    return 0


def _show(page: Page, link: str, search: str, part: str) -> None:
    page.goto(f"{link}&search={quote(search)}" if search else link)
    page.locator(".list tbody tr").first.wait_for()
    page.locator("#charts figure").nth(4).wait_for()
    if part:
        page.locator(".list .file-name").first.click()
        page.locator(f"dialog {part}").first.scroll_into_view_if_needed()


if __name__ == "__main__":
    sys.exit(main())
