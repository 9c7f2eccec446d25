"""The dashboard in a real browser: a file is dropped on it, and its receipt is read there, in the reader's language."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from cli.surroundings import Surroundings
from cli.uploading import await_receipt, upload_file
from tests.web.browser import PHONE, Visit, browser, needs_chromium, visit

pytestmark = [pytest.mark.e2e, needs_chromium]

RAGGED = "id,name,country\n1,Ana,BR\n2,Bia\n3,Caio,PT\n"
GOOD = "id,name\n1,Ana\n"
HOSTILE = "<img src=x onerror=alert(1)>{{7*7}}&amp;'\".csv"
SECONDS = 60


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as made:
        yield made


def _put(aws: Surroundings, folder: Path, key: str, content: str) -> None:
    path = folder / "file"
    path.write_text(content)
    assert await_receipt(aws, upload_file(aws, str(path), key), SECONDS)


def _file(name: str, content: str) -> dict[str, object]:
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode()}


def _drop(page: Page, *files: dict[str, object]) -> None:
    """Drop files on the page, as a hand with a mouse would."""
    contents = [{"name": one["name"], "text": bytes(one["buffer"]).decode()} for one in files]  # type: ignore[call-overload]
    page.evaluate(
        """(files) => {
            const data = new DataTransfer();
            for (const file of files) data.items.add(new File([file.text], file.name, {type: "text/csv"}));
            for (const type of ["dragover", "drop"])
                document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        contents,
    )


def _clean(visited: Visit, link: str, endpoint: str) -> None:
    """Nothing was complained of, and no request left the app and its bucket."""
    assert visited.complaints == []
    port = urlsplit(endpoint).port  # the functions may know their AWS, and so the bucket, by its other name
    assert visited.hosts <= {urlsplit(link).netloc, f"127.0.0.1:{port}", f"localhost:{port}"}


def test_a_dropped_file_shows_which_row_is_wrong_and_why_in_the_readers_language(
    chromium: Browser, link: str, aws: Surroundings
) -> None:
    with visit(chromium, link, language="pt-BR") as visited:
        page = visited.page
        _drop(page, _file("pedidos.csv", RAGGED), _file("certo.csv", GOOD))
        expect(page.locator(".uploads .verdict")).to_have_count(2)
        page.locator(".uploads li", has_text="pedidos.csv").get_by_role("button", name="Abrir").click()
        finding = page.locator("dialog .finding").first
        expect(finding).to_contain_text("registro 2 · linha 3")
        expect(finding).to_contain_text("O registro tem 2 de 3 células.")
        _clean(visited, link, str(aws.endpoint))


def test_the_token_leaves_the_address_at_once(chromium: Browser, link: str) -> None:
    with visit(chromium, link) as visited:
        expect(visited.page.locator("#tiles .tile").first).to_be_visible()
        assert "token" not in visited.page.url
        assert "recibo_" not in visited.page.url


def test_what_arrives_while_one_looks_appears_without_a_reload(
    chromium: Browser, link: str, aws: Surroundings, tmp_path: Path
) -> None:
    with visit(chromium, link) as visited:
        expect(visited.page.locator("#receipts .state")).not_to_contain_text("Loading")
        _put(aws, tmp_path, "live/arrives.csv", GOOD)
        expect(visited.page.get_by_role("button", name="live/arrives.csv")).to_be_visible()


def test_filters_live_in_the_address_and_back_goes_back(
    chromium: Browser, link: str, aws: Surroundings, tmp_path: Path
) -> None:
    _put(aws, tmp_path, "filters/broken.csv", RAGGED)
    _put(aws, tmp_path, "filters/good.csv", GOOD)
    with visit(chromium, link) as visited:
        page = visited.page
        page.get_by_label("Source").fill("filters")
        page.get_by_label("Source").press("Enter")
        expect(page.locator(".list tbody tr")).to_have_count(2)
        page.get_by_label("Verdict").select_option("failed")
        expect(page.locator(".list tbody tr")).to_have_count(1)
        assert {"source=filters", "status=failed"} <= set(urlsplit(page.url).query.split("&"))
        page.reload()
        expect(page.locator(".list tbody tr")).to_have_count(1)
        page.go_back()
        expect(page.locator(".list tbody tr")).to_have_count(2)


def test_hostile_names_and_findings_are_text_and_nothing_else(
    chromium: Browser, link: str, aws: Surroundings, tmp_path: Path
) -> None:
    key = f"hostile/{HOSTILE}"
    _put(aws, tmp_path, key, f'"{HOSTILE.replace(chr(34), chr(34) * 2)}",b\n1\n')
    with visit(chromium, f"{link}&source=hostile") as visited:
        dialogs: list[str] = []
        visited.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        visited.page.get_by_role("button", name=key).click()
        expect(visited.page.locator("dialog h2")).to_have_text(key)
        expect(visited.page.locator("dialog table")).to_contain_text(HOSTILE)
        assert dialogs == []
        _clean(visited, link, str(aws.endpoint))


@pytest.mark.parametrize("look", [("light", "en-US"), ("dark", "pt-BR")], ids=" ".join)
def test_nobody_is_shut_out(
    chromium: Browser, link: str, aws: Surroundings, tmp_path: Path, look: tuple[str, str]
) -> None:
    scheme, language = look
    _put(aws, tmp_path, "access/broken.csv", RAGGED)
    with visit(chromium, f"{link}&source=access", scheme=scheme, language=language) as visited:
        page = visited.page
        expect(page.locator(".list tbody tr").first).to_be_visible()
        expect(page.locator("#charts figure")).to_have_count(5)
        assert visited.violations() == []
        page.locator(".list .file-name").first.click()
        expect(page.locator("dialog .finding").first).to_be_visible()
        assert visited.violations() == []


def test_the_keyboard_alone_opens_a_receipt_and_closes_it(
    chromium: Browser, link: str, aws: Surroundings, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        _put(aws, tmp_path, f"keys/{name}.csv", RAGGED)
    with visit(chromium, f"{link}&source=keys") as visited:
        page = visited.page
        expect(page.locator(".list tbody tr")).to_have_count(2)
        page.keyboard.press("Tab")
        expect(page.locator("#skip")).to_be_focused()
        page.locator(".list .file-name").first.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("dialog h2")).to_have_text("keys/one.csv")
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_be_hidden()
        expect(page).not_to_have_url(re.compile("receipt="))  # the address follows the dialog's own event


def test_a_phone_shows_all_of_it_without_scrolling_sideways(
    chromium: Browser, link: str, aws: Surroundings, tmp_path: Path
) -> None:
    _put(aws, tmp_path, "phone/" + "a-long-name-" * 60 + ".csv", RAGGED)
    with visit(chromium, f"{link}&source=phone", viewport=PHONE) as visited:
        page = visited.page
        page.locator(".list .file-name").first.click()
        expect(page.locator("dialog .finding").first).to_be_visible()
        for part in ("document.documentElement", "document.querySelector('dialog')"):
            assert page.evaluate(f"{part}.scrollWidth <= {part}.clientWidth")


def test_a_token_that_is_no_longer_good_leads_to_the_door(chromium: Browser, link: str) -> None:
    with visit(chromium, link.partition("?")[0]) as visited:
        page = visited.page
        expect(page.get_by_label("Token")).to_be_visible()
        assert visited.complaints == []
        page.get_by_label("Token").fill("recibo_000000000000_" + "x" * 43)
        page.get_by_role("button", name="Open").click()
        expect(page.locator("#tiles")).to_contain_text("missing, expired or revoked")
        expect(page.get_by_label("Token")).to_be_visible()


def test_offline_says_so_and_goes_on_when_it_is_over(chromium: Browser, link: str) -> None:
    with visit(chromium, link) as visited:
        page = visited.page
        expect(page.locator("#tiles .tile").first).to_be_visible()
        page.context.set_offline(True)
        expect(page.locator("#receipts .state")).to_contain_text("You are offline")
        page.context.set_offline(False)
        expect(page.locator("#receipts .state")).not_to_contain_text("You are offline")


def test_the_language_that_was_chosen_is_kept(chromium: Browser, link: str) -> None:
    with visit(chromium, link) as visited:
        page = visited.page
        page.get_by_label("Language").select_option("pt-BR")
        expect(page.locator("#receipts")).to_contain_text("Veredito")
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "pt-BR")


def test_a_receipt_is_downloaded_as_the_ledger_has_it(
    chromium: Browser, link: str, aws: Surroundings, tmp_path: Path
) -> None:
    _put(aws, tmp_path, "download/me.csv", GOOD)
    with visit(chromium, f"{link}&source=download") as visited:
        page = visited.page
        page.locator(".list .file-name").first.click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download JSON").click()
        (summary,) = aws.lists.history(aws.stage.bucket, "download/me.csv", limit=5)
        assert json.loads(Path(download.value.path()).read_text()) == aws.ledger.whole(summary)


def test_an_inspection_asked_for_on_the_page_is_the_next_of_the_history(
    chromium: Browser, link: str, aws: Surroundings, tmp_path: Path
) -> None:
    _put(aws, tmp_path, "again/me.csv", GOOD)
    with visit(chromium, f"{link}&source=again") as visited:
        page = visited.page
        page.locator(".list .file-name").first.click()
        page.get_by_role("button", name="Inspect again").click()
        expect(page.locator("dialog")).to_contain_text("Asked for.")
    deadline = time.monotonic() + SECONDS
    while len(aws.lists.history(aws.stage.bucket, "again/me.csv", limit=5)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
