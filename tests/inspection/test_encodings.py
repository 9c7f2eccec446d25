"""Text in the encodings that were in use before UTF-8: named by a guess, or by a contract."""

from __future__ import annotations

import codecs
from collections.abc import Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.findings import Findings
from chalicelib.inspection import Expectation, Limits, Report, Status, inspect
from chalicelib.inspection.encoding_guess import PRIORS, guess_encoding, unmarked_utf16
from chalicelib.inspection.text import Decoder, Lines
from chalicelib.inspection.text_encodings import ASCII_BASED, ENCODINGS, python_name
from tests.inspection.strategies import BLOCK_SIZES, codes, cut

# A sentence or two of everyday text in each language, and the encodings that were in use for it.
TEXTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Portuguese": (
        "A educação e a saúde são direitos da população; não há exceções à lei.\nAs ações começarão amanhã em Maceió.",
        ("windows-1252", "iso-8859-1", "iso-8859-15", "mac-roman", "cp850"),
    ),
    "Spanish": (
        "El niño comió una manzana. ¿Dónde está la estación más próxima?\nMañana será otro día en España.",
        ("windows-1252", "mac-roman", "cp850", "cp437"),
    ),
    "French": (
        "L'été dernier, l'élève était à côté de la forêt ; ça a été très agréable.\nLa fenêtre était fermée.",
        ("windows-1252", "iso-8859-15", "mac-roman", "cp850"),
    ),
    "German": (
        "Die Straße führt über München und Köln nach Lübeck.\nZwölf größere Städte fördern schöne Gärten.",
        ("windows-1252", "mac-roman", "cp850", "cp437"),
    ),
    "Swedish": (
        "Göteborg ligger vid västkusten och är Sveriges näst största stad.\nDet är en fågel på taket.",
        ("windows-1252", "mac-roman", "cp850"),
    ),
    "Polish": (
        "Kraków leży nad Wisłą, a Łódź w środku kraju.\nWięcej książek można znaleźć w bibliotece.",
        ("windows-1250", "iso-8859-2"),
    ),
    "Czech": (
        "Praha leží na řece Vltavě, český jazyk má háčky a čárky.\nPříští týden přijede můj přítel.",
        ("windows-1250", "iso-8859-2"),
    ),
    "Hungarian": (
        "Budapest Magyarország fővárosa és legnépesebb városa.\nA következő időpont hétfőn lesz, tízkor.",
        ("windows-1250", "iso-8859-2"),
    ),
    "Turkish": (
        "İstanbul, Türkiye'nin en kalabalık şehridir.\nDoğu bölgesinde kış soğuk, yağışlı geçer.",
        ("windows-1254",),
    ),
    "Russian": (
        "Москва является столицей Российской Федерации.\nНовый год начинается первого января.",
        ("windows-1251", "koi8-r", "iso-8859-5", "cp866"),
    ),
    "Ukrainian": ("Київ є столицею України та найбільшим містом країни.", ("windows-1251",)),
    "Greek": (
        "Η Αθήνα είναι η πρωτεύουσα της Ελλάδας και η μεγαλύτερη πόλη της χώρας.",
        ("windows-1253", "iso-8859-7"),
    ),
    "Hebrew": ("ירושלים היא בירת ישראל והעיר הגדולה ביותר בה.\nהשנה החדשה מתחילה בסתיו.", ("windows-1255",)),
    "Arabic": ("القاهرة هي عاصمة مصر وأكبر مدنها.\nتبدأ السنة الجديدة في الشتاء.", ("windows-1256",)),
    "Thai": ("กรุงเทพเป็นเมืองหลวงของประเทศไทย\nและเป็นเมืองที่ใหญ่ที่สุด", ("tis-620",)),
    "Japanese": (
        "東京都は日本の首都であり、最も人口の多い都市です。\nデータは同じ文字コードで保存してください。",
        ("shift_jis", "euc-jp"),
    ),
    "Chinese": ("北京是中华人民共和国的首都,也是全国的政治中心。\n数据文件应当以统一的编码保存。", ("gb18030",)),
    "Traditional Chinese": ("臺北市是臺灣的政治文化中心。\n資料檔案應當以統一的編碼儲存。", ("big5",)),
    "Korean": ("서울은 대한민국의 수도이며 가장 인구가 많은 도시이다.\n자료는 같은 방식으로 저장한다.", ("euc-kr",)),
}
CASES = [(text, encoding) for text, encodings in TEXTS.values() for encoding in encodings]
LETTERS = st.characters(categories=["Lu", "Ll", "Lo"])


def written(text: str, encoding: str) -> bytes:
    return text.encode(python_name(encoding))


def without_encoding(report: Report) -> Report:
    """What is left to compare of a file that is written in another encoding."""
    kept = tuple(found for found in report.findings if found.code != "encoding-guessed")
    counts = {code: count for code, count in report.counts.items() if code != "encoding-guessed"}
    same = report._replace(findings=kept, counts=counts, encoding=None, encoding_confidence=None)
    return same._replace(sha256=None, bytes=None)


@pytest.mark.parametrize(("text", "encoding"), CASES)
def test_the_guess_of_a_sentence_reads_it_right_and_is_sure(text: str, encoding: str) -> None:
    guess = guess_encoding(written(text, encoding))
    assert written(text, encoding).decode(python_name(guess.encoding)) == text
    assert guess.confidence >= 65


@given(st.data(), st.sampled_from(CASES), st.integers(1, 40))
def test_a_guess_of_a_few_words_that_reads_them_wrong_is_not_called_sure(
    data: st.DataObject, case: tuple[str, str], rows: int
) -> None:
    words = case[0].split()
    cells = data.draw(st.lists(st.sampled_from(words), min_size=rows, max_size=rows))
    text = "".join(f"{number},{cell}\n" for number, cell in enumerate(cells))
    content = written(text, case[1])
    assume(not content.isascii())
    guess = guess_encoding(content)
    assert content.decode(python_name(guess.encoding), "replace") == text or guess.confidence < 95


@pytest.mark.parametrize("cell", ["£5", "±5", "£12", "§3"])
def test_a_sign_and_a_digit_are_not_taken_for_half_of_a_longer_character(cell: str) -> None:
    report = inspect([f"item,price\npen,{cell}\n".encode("cp1252")], name="a.csv")
    assert (report.status, codes(report)) == (Status.SUCCEEDED, {"encoding-guessed"})


@pytest.mark.parametrize("cells", ["ÁÉÍÓÚÑ", "½¼¾°²", "Ú¼ª", "çãéôõ"])
def test_of_letters_that_stand_alone_none_is_half_of_a_longer_character(cells: str) -> None:
    report = inspect(["\n".join(["cell", *cells, ""]).encode("cp1252")], name="a.csv")
    assert (report.status, codes(report)) == (Status.SUCCEEDED, {"encoding-guessed"})


@pytest.mark.parametrize(
    "cells",
    [
        ["Recte €24,960", "€250 per child", "€"],
        ["31.23°", "121.50°", "-24.26°", "39°N"],
        ["Claims ………………………", "Total ……………………………", "… merged"],
        ["name@example.com\u00a0", "1630\u00a0\u00a0\u00a0\u00a0\u00a0\u00a0", "12\u00a0346"],
        ["£1.00", "£12.34", "-£5", "£nn.nn"],
        ["100 % ± 5", "±0.5", "¥12.30", "¶"],
    ],
    ids=["euro", "degree", "dots", "spaces", "pound", "other signs"],
)
def test_signs_without_any_letter_are_those_of_the_commonest_encoding(cells: list[str]) -> None:
    text = "".join(f'{number},"{cell}"\n' for number, cell in enumerate(cells))
    assert guess_encoding(text.encode("cp1252")).encoding == "windows-1252"


@pytest.mark.parametrize("encoding", ["johab", "cp037"])
def test_text_in_an_encoding_that_is_not_known_is_not_called_sure(encoding: str) -> None:
    text = TEXTS["Korean" if encoding == "johab" else "French"][0]
    assert guess_encoding(text.encode(encoding)).confidence < 50


@given(st.sampled_from(CASES), BLOCK_SIZES)
def test_a_table_in_another_encoding_gets_the_report_that_it_gets_in_utf8(case: tuple[str, str], size: int) -> None:
    text = "".join(f"{number},{line}\n" for number, line in enumerate(case[0].replace(",", "").split("\n")))
    table = f"id,{text.split(',')[1].split()[0]}\n{text * 5}"
    content = written(table, case[1])
    report = inspect(cut(content, size), name="a.csv")
    assert (report.status, codes(report)) == (Status.SUCCEEDED, {"encoding-guessed"})
    assert without_encoding(report) == without_encoding(inspect([table.encode()], name="a.csv"))
    assert report.encoding_confidence is not None
    assert f"{report.encoding}, a guess that is {report.encoding_confidence} % sure" in report.findings[0].message


@given(st.sampled_from(CASES))
def test_a_file_in_the_encoding_that_is_asked_for_has_no_warning(case: tuple[str, str]) -> None:
    text, encoding = f"{case[0]}\n", case[1]
    report = inspect([written(text, encoding)], name="a.txt", expectation=Expectation(encoding=encoding))
    assert (codes(report), report.encoding, report.encoding_confidence) == (set(), encoding, None)


@given(
    st.sampled_from(ENCODINGS), st.text(st.one_of(LETTERS, st.sampled_from('",;|\\~\n\r€')), max_size=30), BLOCK_SIZES
)
def test_text_is_decoded_as_python_decodes_it_wherever_it_is_cut(encoding: str, text: str, size: int) -> None:
    content = text.encode(python_name(encoding), "ignore")
    decoder = Decoder(Findings(), Lines(), encoding, may_guess=False, limits=Limits())
    made = b"".join(decoder.feed(block) for block in cut(content, size)) + decoder.feed(b"", final=True)
    assert made.decode() == content.decode(python_name(encoding))


@given(st.sampled_from(ENCODINGS), st.binary(max_size=40), BLOCK_SIZES)
def test_bytes_that_an_encoding_does_not_have_are_errors_and_the_rest_is_read(
    encoding: str, content: bytes, size: int
) -> None:
    findings = Findings(per_code=1000)
    decoder = Decoder(findings, Lines(), encoding, may_guess=False, limits=Limits())
    made = b"".join(decoder.feed(block) for block in cut(content, size)) + decoder.feed(b"", final=True)
    try:
        assert made.decode() == content.decode(python_name(encoding))
    except UnicodeDecodeError:
        assert findings.counts["invalid-encoding"] <= made.decode().count("\ufffd")
    else:
        assert not findings.counts


@pytest.mark.parametrize("encoding", sorted(ASCII_BASED))
def test_encodings_that_are_said_to_be_based_on_ascii_are(encoding: str) -> None:
    ascii_text = bytes(range(128))
    assert ascii_text.decode(python_name(encoding)) == ascii_text.decode("ascii")


def test_every_guess_is_an_encoding_that_a_contract_can_name() -> None:
    assert set(PRIORS) < set(ENCODINGS)
    assert all(codecs.lookup(python_name(encoding)) for encoding in ENCODINGS)


def test_a_separator_that_is_half_of_a_character_separates_nothing() -> None:
    """In Shift_JIS the second byte of ポ is that of | and the second byte of ソ that of a backslash."""
    table = "番号,名前\n1,ポスター\n2,ソファー\n3,ポケットの表\n4,赤いソックス\n"
    assert written(table, "shift_jis").count(b"|") == 2
    report = inspect([written(table, "shift_jis")], name="a.csv")
    assert (report.facts.delimiter, report.facts.records) == (",", 4)
    assert [column.name for column in report.facts.columns] == ["番号", "名前"]


@given(st.binary(max_size=300))
def test_a_guess_is_made_of_any_bytes_and_always_the_same(data: bytes) -> None:
    guess = guess_encoding(data)
    assert guess.encoding in PRIORS
    assert 1 <= guess.confidence <= 99
    assert guess_encoding(data) == guess


def test_ascii_before_the_first_other_character_does_not_change_the_guess() -> None:
    text = "É difícil, não é? São João já começou.\n".encode("cp1252")
    assert guess_encoding(b"x" * 100_000 + b"\n" + text) == guess_encoding(b"x" * 64 + b"\n" + text)


# -- UTF-16 without a byte order mark

WORDS = st.text(st.characters(codec="latin-1", categories=["Lu", "Ll", "Nd"]), min_size=1, max_size=8)


@given(st.lists(WORDS, min_size=2, max_size=20), st.sampled_from(["utf-16-le", "utf-16-be"]), BLOCK_SIZES)
def test_a_table_in_utf16_without_a_mark_is_read_with_a_warning(words: list[str], encoding: str, size: int) -> None:
    table = "id,word\n" + "".join(f"{number},{word}\n" for number, word in enumerate(words))
    report = inspect(cut(table.encode(encoding), size), name="a.csv")
    assert without_encoding(report) == without_encoding(inspect([table.encode()], name="a.csv"))
    assert report.encoding == encoding
    assert [(found.line, found.column) for found in report.findings if found.code == "encoding-guessed"] == [(1, 1)]
    assert (report.encoding_confidence or 0) > 90


@pytest.mark.parametrize("content", ['{"a": 1}\n', "[1, 2, 3]"])
def test_json_in_utf16_without_a_mark_is_an_error(content: str) -> None:
    report = inspect([content.encode("utf-16-le")], name="a.json")
    assert report.status is Status.FAILED
    assert codes(report) >= {"encoding-guessed", "invalid-encoding"}
    assert "nul-byte" not in codes(report)


@pytest.mark.parametrize(
    "content",
    [
        b"\0" * 40,
        b"\x01\0\x02\0\x03\0\x04\0\x05\0\x06\0",  # numbers of 16 bits
        b"a\0b\0\0c\0d" * 4,
        b"id,name\n1,Ana\0\n2,Bia\n",
        b"a\0",
        b"a\0" * 10 + b"a\xd8" + b"a\0",  # half of a surrogate pair
    ],
)
def test_other_bytes_with_zeros_are_not_taken_for_utf16(content: bytes) -> None:
    assert unmarked_utf16(content) is None


# -- damaged UTF-8 stays what it is


@given(st.sampled_from([text for text, _ in CASES]), st.integers(0, 200))
def test_utf8_with_a_broken_byte_is_damaged_and_not_guessed(text: str, at: int) -> None:
    content = text.encode()
    at %= len(content)
    report = inspect([content[:at] + b"\xff" + content[at:]], name="a.txt")
    assert (report.encoding, report.status) == ("utf-8", Status.FAILED)


def test_no_more_than_a_sample_is_guessed_of() -> None:
    """The time for a guess is bounded, whatever the block."""
    text = ("São João\n" * 100_000).encode("cp1252")
    assert guess_encoding(text) == guess_encoding(text[: 1 << 15])
    assert inspect([text], name="a.txt", limits=Limits(sniff_bytes=100)).encoding == "windows-1252"
