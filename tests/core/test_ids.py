"""Case numbers, query codes and masks."""

from datetime import date

import pytest

from huying.base import ids


def test_case_number_is_date_then_random_digits_then_check_digit() -> None:
    number = ids.new_case_number(date(2026, 1, 5), lambda below: 7)
    assert number[:16] == "2026010500000007"
    assert len(number) == 17


# Published valid numbers with this check digit: the standard's own example, and German tax numbers.
@pytest.mark.parametrize("number", ["07945", "36574261809", "86095742719", "47036892816"])
def test_check_digit_is_iso_7064_mod_11_10(number: str) -> None:
    assert ids.check_digit(number[:-1]) == number[-1]


def test_every_single_mistyped_digit_is_found() -> None:
    number = ids.new_case_number(date(2026, 12, 31))
    for place in range(17):
        for digit in "0123456789".replace(number[place], ""):
            assert ids.clean_case_number(number[:place] + digit + number[place + 1 :]) is None


def test_case_number_is_read_as_people_type_it() -> None:
    number = ids.new_case_number(date(2026, 1, 5))
    assert ids.clean_case_number(f" {number[:8]}-{number[8:]} ") == number


def test_case_numbers_of_one_day_do_not_follow_each_other() -> None:
    numbers = {int(ids.new_case_number(date(2026, 1, 5))[8:16]) for _ in range(50)}
    assert len(numbers) == 50
    assert max(numbers) - min(numbers) > 1_000_000


def test_query_code_is_shown_in_four_groups() -> None:
    assert ids.new_query_code(lambda below: 1234567890123456) == "1234-5678-9012-3456"
    assert ids.new_query_code(lambda below: 42) == "0000-0000-0000-0042"


def test_query_code_draws_from_all_sixteen_digits() -> None:
    asked: list[int] = []
    ids.new_query_code(lambda below: asked.append(below) or 0)
    assert asked == [10_000_000_000_000_000]


@pytest.mark.parametrize(
    "typed",
    [
        "1234-5678-9012-3456",
        "1234567890123456",
        " 1234 5678 9012 3456\n",
        "１２３４－５６７８－９０１２－３４５６",
        "1234—5678–9012−3456",
        "1234\u30005678 9012 3456",
    ],
)
def test_query_code_is_read_as_people_type_it(typed: str) -> None:
    assert ids.clean_query_code(typed) == "1234567890123456"


@pytest.mark.parametrize("typed", ["", "1234", "1234-5678-9012-345", "1234-5678-9012-34567", "abcd-5678-9012-3456"])
def test_what_cannot_be_a_query_code_is_none(typed: str) -> None:
    assert ids.clean_query_code(typed) is None


def test_digits_of_other_scripts_are_not_a_query_code() -> None:
    assert ids.clean_query_code("١٢٣٤٥٦٧٨٩٠١٢٣٤٥٦") is None


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13900000001", "139****0001"),
        ("+86 139-0000-0001", "139****0001"),
        ("0715-88886666", "071*****6666"),
        ("88886666", "88****66"),
        ("12345", "1***5"),
        ("110", "***"),
        ("", ""),
    ],
)
def test_mask_phone(phone: str, masked: str) -> None:
    assert ids.mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("name", "masked"),
    [("王小明", "王**"), ("李四", "李*"), ("王", "*"), ("", ""), ("阿卜杜拉·买买提", "阿***")],
)
def test_mask_name(name: str, masked: str) -> None:
    assert ids.mask_name(name) == masked


def test_other_kinds_are_masked_too() -> None:
    assert ids.mask("email", "wang@example.cn") == "w***@example.cn"
    assert ids.mask("email", "no address") == "***"
    assert ids.mask("id_number", "420281199001011234") == "4****************4"
    assert ids.mask("address", "东岳路街道新冶大道12号") == "***"
    assert ids.mask("other", "x") == "***"
