"""Dates, times, years and durations: against Python's own, XML Schema's examples, and `strptime`."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from dateutil import parser  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.tableschema.moments import Duration, days_in, moment, ordinal
from tests.tableschema.schemas import constrained, field, field_refusal, is_right, judge_native, rules

DATE, TIME, DATETIME = field("date"), field("time"), field("datetime")
YEAR, YEARMONTH, DURATION = field("year"), field("yearmonth"), field("duration")
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(timezones=st.none() | ZONES)


@given(st.dates())
def test_every_date_of_iso_8601_is_one(day: date) -> None:
    assert is_right(DATE, day.isoformat())
    assert DATE.value(day.isoformat()) == day


@given(st.times().map(lambda value: value.replace(microsecond=0)))
def test_every_time_of_hours_minutes_and_seconds_is_one(value: time) -> None:
    assert is_right(TIME, value.isoformat())
    assert TIME.value(value.isoformat()) == value


@given(MOMENTS)
def test_every_datetime_that_python_has_is_one(value: datetime) -> None:
    text = value.isoformat()
    assert is_right(DATETIME, text)
    assert DATETIME.value(text) == value
    assert DATETIME.value(text.replace("+00:00", "Z")) == value


@pytest.mark.parametrize(
    "text",
    ["2024-1-1", "20240101", "2024-02-30", "2023-02-29", "0000-01-01", "2024-W01-1", "24-01-01", "2024-01-01T00:00:00",
     " 2024-01-01", "٢٠٢٤-01-01", "2024-001", "x", "2024-13-01", "-2024-01-01"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert not is_right(DATE, text)


@pytest.mark.parametrize(
    "text", ["3:00:00", "15:00", "24:00:00", "15:60:00", "15:00:60", "15:00:00Z", "3 pm", "150000"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert not is_right(TIME, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-26T15:00:00", True),
        ("2024-01-26T15:00:00.300-05:00", True),
        ("2024-01-26T15:00:00.123456789123456789", True),
        ("2024-01-26T24:00:00", True),
        ("2024-01-26T15:00:00+14:00", True),
        ("12024-01-26T15:00:00", True),
        ("-0044-03-15T12:00:00Z", True),
        ("2024-01-26 15:00:00", False),
        ("2024-01-26T24:00:01", False),
        ("2024-01-26T25:00:00", False),
        ("2024-01-26T15:00", False),
        ("2024-01-26T15:00:00.", False),
        ("2024-01-26T15:00:00+14:01", False),
        ("2024-01-26T15:00:00+1:00", False),
        ("2024-01-26T15:00:00z", False),
        ("2024-02-30T15:00:00", False),
        ("12023-02-29T15:00:00", False),
        ("02024-01-26T15:00:00", False),
        ("0000-01-26T15:00:00", False),
        ("2024-01-26", False),
    ],
)
def test_a_datetime_is_what_xml_schema_says(text: str, expected: bool) -> None:
    assert is_right(DATETIME, text) is expected


@given(st.datetimes(timezones=st.none() | ZONES), st.datetimes(timezones=st.none() | ZONES))
def test_moments_are_in_order_and_nothing_is_known_of_those_without_a_zone_near_others(
    one: datetime, two: datetime
) -> None:
    least, value = one.isoformat(), two.isoformat()
    if (one.tzinfo is None) is (two.tzinfo is None):
        expected = two >= one
    else:
        expected = two.replace(tzinfo=None) - (two.utcoffset() or timedelta()) - one.replace(tzinfo=None) + (
            one.utcoffset() or timedelta()
        ) > timedelta(hours=14)
    assert (rules(constrained("datetime", minimum=least), value) == []) is expected


@given(MOMENTS)
def test_the_same_moment_in_another_zone_has_the_same_key(value: datetime) -> None:
    key, read = DATETIME.kind.key, DATETIME.value
    if value.tzinfo and date(2, 1, 1) < value.date() < date(9998, 1, 1):
        other = value.astimezone(timezone(timedelta(hours=5)))
        assert key(read(value.isoformat())) == key(read(other.isoformat()))


def test_moments_that_python_does_not_hold_are_compared_too() -> None:
    assert rules(constrained("datetime", minimum="9999-12-31T24:00:00"), "10000-01-01T00:00:00") == []
    assert rules(constrained("datetime", exclusiveMinimum="9999-12-31T24:00:00"), "10000-01-01T00:00:00") == [
        "exclusiveMinimum"
    ]
    assert rules(constrained("datetime", maximum="-0001-12-31T00:00:00"), "0001-01-01T00:00:00") == ["maximum"]
    assert rules(constrained("datetime", enum=["2024-01-01T00:00:00"]), "2023-12-31T24:00:00") == []
    finer = "2024-01-01T00:00:00.0000001"
    assert rules(constrained("datetime", exclusiveMinimum="2024-01-01T00:00:00"), finer) == []


@given(st.dates())
def test_days_are_numbered_as_python_numbers_them(day: date) -> None:
    assert ordinal(day.year, day.month, day.day) == day.toordinal()
    assert 1 <= day.day <= days_in(day.year, day.month)
    assert moment(day).seconds == day.toordinal() * 86_400


@given(st.integers(-50, 50), st.integers(1, 12))
def test_days_go_on_before_the_year_1(year: int, month: int) -> None:
    following = (year + 1, 1) if month == 12 else (year, month + 1)
    assert ordinal(*following, 1) - ordinal(year, month, 1) == days_in(year, month)


# -- years and months


@pytest.mark.parametrize(
    ("text", "is_year"),
    [("2024", True), ("0044", True), ("12024", True), ("-0044", True), ("2024Z", True), ("2024+02:00", True),
     ("0000", False), ("024", False), ("02024", False), ("24", False), ("+2024", False),
     ("2024.0", False), ("", False)],
)  # fmt: skip
def test_a_year_is_what_xml_schema_says(text: str, is_year: bool) -> None:
    assert is_right(YEAR, text) is is_year
    year, zone = (text[:-1], "Z") if text.endswith("Z") else (text, "")
    if "+02:00" not in text:
        assert is_right(YEARMONTH, f"{year}-10{zone}") is is_year


@pytest.mark.parametrize("text", ["2024-1", "2024-13", "2024-00", "2024", "2024-10-01", "202410"])
def test_what_is_no_month_of_a_year_is_none(text: str) -> None:
    assert not is_right(YEARMONTH, text)


def test_years_and_months_are_in_order() -> None:
    assert rules(constrained("year", minimum=2000, maximum="2010"), "1999") == ["minimum"]
    assert rules(constrained("year", minimum=2000), "-2000") == ["minimum"]
    assert rules(constrained("year", exclusiveMaximum=2010), "2010") == ["exclusiveMaximum"]
    assert rules(constrained("year", minimum="2000Z"), "2000") == ["minimum"], "it may have begun before"
    assert rules(constrained("yearmonth", minimum="2000-02"), "2000-01") == ["minimum"]
    assert rules(constrained("yearmonth", minimum="2000-02"), "2001-01") == []
    assert rules(constrained("yearmonth", enum=["2000-02Z"]), "2000-02+00:00") == []
    assert judge_native(YEAR, 2024) is None
    assert [judge_native(YEAR, value) is None for value in (0, True, 2024.0, 10**200)] == [False] * 4
    assert YEARMONTH.value("2024-10") == (2024, 10)


# -- durations


@given(
    st.builds(Duration, months=st.integers(-5000, 5000), seconds=st.integers(-(10**9), 10**9)).filter(
        lambda value: value.months * value.seconds >= 0
    )
)
def test_a_duration_is_its_months_and_its_seconds(value: Duration) -> None:
    sign = "-" if value.months < 0 or value.seconds < 0 else ""
    text = f"{sign}P{abs(value.months)}MT{abs(value.seconds)}S"
    assert is_right(DURATION, text)
    assert DURATION.value(text) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [("P1Y2M3DT4H5M6.7S", True), ("PT1.5S", True), ("-P1D", True), ("P0Y", True), ("P1347M", True), ("P1Y2MT2H", True),
     ("P", False), ("PT", False), ("P1YT", False), ("P1M1Y", False), ("P-1Y", False), ("P1W", False), ("1Y", False),
     ("P1.5Y", False), ("PT.5S", False), ("PT1.S", False), ("P1S", False), ("+P1D", False), ("", False),
     ("P" + "9" * 1000 + "Y", True), ("P" + "9" * 1_000_000 + "Y", False)],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_a_duration_is_what_xml_schema_says(text: str, expected: bool) -> None:
    assert is_right(DURATION, text) is expected


@pytest.mark.parametrize(
    ("one", "relation", "two"),
    [("P1Y", ">", "P364D"), ("P1Y", ">=", "P365D"), ("P1Y", "<=", "P366D"), ("P1Y", "<", "P367D"),
     ("P1M", ">", "P27D"), ("P1M", ">=", "P28D"), ("P1M", "<>", "P30D"), ("P1M", "<=", "P31D"), ("P1M", "<", "P32D"),
     ("P5M", ">", "P149D"), ("P5M", ">=", "P150D"), ("P5M", "<>", "P152D"), ("P5M", "<=", "P153D"),
     ("P5M", "<", "P154D"),
     ("P1Y", "=", "P12M"), ("P1D", "=", "PT24H"), ("PT1M", "=", "PT60.0S"), ("PT0S", "=", "-P0Y"),
     ("PT0.1S", "<", "PT0.10000000000000000001S"), ("-P1D", "<", "P0D")],
)  # fmt: skip
def test_durations_are_in_the_order_of_xml_schema_which_tells_of_some_only(one: str, relation: str, two: str) -> None:
    assert (rules(constrained("duration", minimum=two), one) == []) is (relation in (">", ">=", "="))
    assert (rules(constrained("duration", maximum=two), one) == []) is (relation in ("<", "<=", "="))
    assert (rules(constrained("duration", exclusiveMinimum=two), one) == []) is (relation == ">")
    assert (rules(constrained("duration", exclusiveMaximum=two), one) == []) is (relation == "<")
    assert (rules(constrained("duration", enum=[two]), one) == []) is (relation == "=")


# -- patterns


FORMS = ["%d/%m/%Y", "%Y%m%d", "%m-%d-%y", "%d %b %Y", "%Y-%m-%dT%H:%M:%S", "%H:%M", "%I:%M %p",
         "%Y-%m-%d %H:%M:%S.%f%z",
         "100%% %j %Y", "%A, %d. %B %Y"]  # fmt: skip


@given(st.sampled_from(FORMS), st.datetimes(), st.text("0123456789/-: APMZ.+%", max_size=12))
def test_a_pattern_reads_what_strptime_reads(form: str, value: datetime, text: str) -> None:
    tested = field("datetime", format=form)
    for cell in (value.strftime(form), value.strftime(form).replace("0", "", 1), text):
        try:
            expected = datetime.strptime(cell, form)  # noqa: DTZ007 - the pattern says the zone
        except ValueError:
            assert not is_right(tested, cell)
        else:
            assert is_right(tested, cell)
            assert tested.value(cell) == expected


@given(st.text("0123456789/ ", max_size=10))
def test_the_fast_reading_of_numbers_is_that_of_strptime(cell: str) -> None:
    tested = field("date", format="%d/%m/%Y")
    try:
        expected = datetime.strptime(cell, "%d/%m/%Y").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        assert not is_right(tested, cell)
    else:
        assert tested.value(cell) == expected


def test_a_pattern_may_have_the_old_prefix_and_makes_a_date_or_a_time() -> None:
    assert field("date", format="fmt:%d/%m/%Y").value("31/12/2024") == date(2024, 12, 31)
    assert field("date", format="fmt:%d/%m/%Y").format == "%d/%m/%Y"
    assert field("time", format="%H:%M").value("06:50") == time(6, 50)
    assert rules(constrained("date", "%d/%m/%Y", minimum="01/02/2024"), "31/01/2024") == ["minimum"]
    zoned = constrained("time", "%H:%M%z", minimum="12:00+0200")
    assert [rules(zoned, text) for text in ("11:00+0000", "11:00+0200")] == [[], ["minimum"]]


@pytest.mark.parametrize("cell", ["٣١/12/2024", "31/12/2024" + " " * 1_000_000, "0" * 1_000_000])
def test_no_foreign_digit_and_no_endless_cell_is_a_date(cell: str) -> None:
    assert not is_right(field("date", format="%d/%m/%Y"), cell)
    assert not is_right(field("date", format="%d. %b %Y"), cell)
    assert not is_right(field("date", format="any"), cell)


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"format": "YYYY-MM-DD"}, "pattern of strptime"),
        ({"format": "%Y-%Q"}, 'has "%Q"'),
        ({"format": "%Y %"}, 'has "%"'),
        ({"format": "%Y %Y"}, "twice"),
        ({"format": "%d%d"}, "twice"),
        ({"format": "%G-%d"}, "no pattern of strptime"),
        ({"format": 5}, "must be a text"),
    ],
)
def test_what_is_no_pattern_is_refused(properties: dict[str, Any], reason: str) -> None:
    place, why = field_refusal(type="date", **properties)
    assert place == "format"
    assert reason in why


# -- any


LOOSE = [
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%m/%d/%Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
    "%b %d %Y",
    "%A, %d %B %Y",
    "%Y%m%d",
    "%m.%d.%Y",
]
CLOCKS = ["", " %H:%M", "T%H:%M:%S", ", %I:%M %p", " %H:%M:%SZ", " at %I:%M:%S %p", " %H:%M:%S+02:00"]


@given(st.sampled_from(LOOSE), st.sampled_from(CLOCKS), st.datetimes(datetime.min.replace(year=1000)))  # noqa: DTZ901 - zones are drawn apart
def test_any_form_of_a_date_is_read_as_dateutil_reads_it(day: str, clock: str, value: datetime) -> None:
    text = value.strftime(day + clock)
    tested = field("datetime", format="any")
    assert is_right(tested, text)
    theirs = parser.parse(text, default=datetime.min)  # noqa: DTZ901 - what is filled in has none
    ours = tested.value(text)
    assert ours.replace(tzinfo=None) == theirs.replace(tzinfo=None)
    assert ours.utcoffset() == theirs.utcoffset()
    assert field("date", format="any").value(text) == theirs.date()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3 am", time(3)), ("3:00 am", time(3)), ("12 pm", time(12)), ("06:00:00", time(6)), ("2024-01-01T06:00", time(6)),
     ("3", None), ("25:00", None), ("13 pm", None), ("some night", None), ("", None)],
)  # fmt: skip
def test_any_form_of_a_time_is_read(text: str, expected: time | None) -> None:
    tested = field("time", format="any")
    assert is_right(tested, text) is (expected is not None)
    if expected:
        assert tested.value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "invalid",
        "13/13/2024",
        "32 Jan 2024",
        "2024-02-30",
        "1/2",
        "Jan",
        "5",
        "2024 2024",
        "20240001",
        "00/10/2024",
    ],
)
def test_what_is_a_date_in_no_form_is_none(text: str) -> None:
    assert not is_right(field("date", format="any"), text)


@given(
    st.lists(st.sampled_from([*"0123456789", "00", "20", "2024", *"-/. :+TZ", "jan", "am", "at", "31"]), max_size=14),
    st.sampled_from(["date", "time", "datetime"]),
)
def test_what_is_nearly_a_date_or_a_time_is_one_or_none(parts: list[str], kind: str) -> None:
    assert isinstance(is_right(field(kind, format="any"), "".join(parts)), bool)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("13/02/2024", date(2024, 2, 13)), ("02/13/24", date(2024, 2, 13)), ("10th Jan 1969 9 am", date(1969, 1, 10))],
)
def test_the_day_may_be_first_where_it_cannot_be_a_month(text: str, expected: date) -> None:
    assert field("date", format="any").value(text) == expected


@given(
    st.sampled_from(["date", "time", "datetime", "year", "yearmonth", "duration"]),
    st.sampled_from(["default", "any", "%d %b %Y"]),
    st.text(max_size=12) | st.text("0123456789-:TZP+.YMDHS ", max_size=25),
)
def test_no_text_makes_anything_but_a_value_or_a_problem(type_: str, form: str, text: str) -> None:
    if type_ not in ("date", "time", "datetime"):
        form = "default"
    tested = field(type_, format=form)
    if is_right(tested, text):
        hash(tested.kind.key(tested.value(text)))
        assert tested.kind.order(tested.value(text)) >= tested.kind.order(tested.value(text))
    assert judge_native(tested, 5) is None or type_ != "year"
