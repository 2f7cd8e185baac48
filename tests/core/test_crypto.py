"""Sealing, keys, keyed look-ups, query codes."""

import base64
import hashlib
import hmac
import json
import stat
import time
from pathlib import Path

import pytest

from huying.base import crypto

KEY = bytes(range(32))
PRODUCTION = {"HUYING_ENV": "production"}


def test_sealed_text_opens_only_with_its_key_in_its_place() -> None:
    sealed = crypto.seal(KEY, "王小明".encode(), aad=b"subject 1, name, 1")
    assert crypto.open_sealed(KEY, sealed, aad=b"subject 1, name, 1").decode() == "王小明"
    with pytest.raises(crypto.SealBroken):
        crypto.open_sealed(KEY, sealed, aad=b"subject 2, name, 1")
    with pytest.raises(crypto.SealBroken):
        crypto.open_sealed(bytes(32), sealed, aad=b"subject 1, name, 1")


def test_every_altered_byte_is_found() -> None:
    sealed = crypto.seal(KEY, b"13900000001", aad=b"")
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(crypto.SealBroken):
            crypto.open_sealed(KEY, bytes(altered), aad=b"")
    for length in range(14):
        with pytest.raises(crypto.SealBroken):
            crypto.open_sealed(KEY, sealed[:length], aad=b"")


def test_sealing_twice_gives_different_bytes_and_names_the_algorithm() -> None:
    first, second = (crypto.seal(KEY, b"same", aad=b"") for _ in range(2))
    assert first != second
    assert first[0] == second[0] == 1
    assert len(first) == 1 + 12 + 4 + 16  # header, nonce, text, tag


# ---- keys


def test_key_file_is_made_private_and_read_again(tmp_path: Path) -> None:
    place = tmp_path / "secret" / "keys.json"
    made, again = crypto.FileKeys(place, {}), crypto.FileKeys(place, {})
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert again.key_id == made.key_id
    assert again.pepper == made.pepper
    assert again.index_key() == made.index_key()
    wrapped = made.wrap(KEY, aad=b"x")
    assert again.unwrap(wrapped, key_id=made.key_id, aad=b"x") == KEY
    assert [path.name for path in place.parent.iterdir()] == ["keys.json"]


def test_made_keys_are_random_and_differ_from_each_other(tmp_path: Path) -> None:
    one, other = crypto.FileKeys(tmp_path / "1", {}), crypto.FileKeys(tmp_path / "2", PRODUCTION)
    assert len({one.pepper, other.pepper, one.index_key(), other.index_key()}) == 4
    assert one.key_id != other.key_id


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o620])
def test_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    place = tmp_path / "keys.json"
    crypto.FileKeys(place, {})
    place.chmod(mode)
    with pytest.raises(crypto.KeysRefused, match="chmod 600"):
        crypto.FileKeys(place, {})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"master": 1, "index": 2, "pepper": 3}', "not json"])
def test_malformed_key_file_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    place = tmp_path / "keys.json"
    place.write_text(text)
    place.chmod(0o600)
    with pytest.raises(crypto.KeysRefused):
        crypto.FileKeys(place, {})
    assert place.read_text() == text


def test_an_old_master_key_still_opens_after_a_new_one_is_current(tmp_path: Path) -> None:
    place = tmp_path / "keys.json"
    old = crypto.FileKeys(place, {})
    wrapped = old.wrap(KEY, aad=b"x")
    held = json.loads(place.read_text())
    held["master"]["keys"]["new"] = base64.b64encode(bytes(range(1, 33))).decode()
    held["master"]["current"] = "new"
    place.write_text(json.dumps(held))
    new = crypto.FileKeys(place, {})
    assert new.key_id == "new"
    assert new.unwrap(wrapped, key_id=old.key_id, aad=b"x") == KEY


def test_keys_of_another_installation_are_named_as_such(tmp_path: Path) -> None:
    one, other = crypto.FileKeys(tmp_path / "1", {}), crypto.FileKeys(tmp_path / "2", {})
    with pytest.raises(crypto.KeysRefused, match=one.key_id):
        other.unwrap(one.wrap(KEY, aad=b""), key_id=one.key_id, aad=b"")
    with pytest.raises(crypto.KeysRefused):
        one.index_key(2)


def _environ(master: bytes, index: bytes, pepper: bytes) -> dict[str, str]:
    names = ("HUYING_MASTER_KEY", "HUYING_INDEX_KEY", "HUYING_PEPPER")
    return {name: base64.b64encode(key).decode() for name, key in zip(names, (master, index, pepper), strict=True)}


def test_keys_from_the_environment() -> None:
    keys = crypto.EnvKeys(_environ(KEY, bytes(range(1, 33)), bytes(range(2, 34))) | PRODUCTION)
    assert keys.pepper == bytes(range(2, 34))
    assert keys.index_key(1) == bytes(range(1, 33))
    assert keys.unwrap(keys.wrap(KEY, aad=b"x"), key_id=keys.key_id, aad=b"x") == KEY


def test_missing_or_short_environment_keys_are_refused() -> None:
    with pytest.raises(crypto.KeysRefused, match="HUYING_MASTER_KEY"):
        crypto.EnvKeys({})
    with pytest.raises(crypto.KeysRefused, match="HUYING_PEPPER"):
        crypto.EnvKeys(_environ(KEY, bytes(range(1, 33)), b"short"))


def test_default_keys_are_refused_in_production(tmp_path: Path) -> None:
    assert crypto.WellKnownKeys({}).key_id == "well-known"
    with pytest.raises(crypto.KeysRefused, match="默认密钥"):
        crypto.WellKnownKeys(PRODUCTION)
    with pytest.raises(crypto.KeysRefused, match="默认密钥"):
        crypto.EnvKeys(_environ(bytes(32), bytes(range(1, 33)), KEY) | PRODUCTION)
    with pytest.raises(crypto.KeysRefused, match="各不相同"):
        crypto.EnvKeys(_environ(KEY, KEY, bytes(range(1, 33))) | PRODUCTION)


def test_a_copied_well_known_key_is_refused_in_production_wherever_it_stands() -> None:
    index = crypto.WellKnownKeys({}).index_key()
    with pytest.raises(crypto.KeysRefused, match="默认密钥"):
        crypto.EnvKeys(_environ(KEY, bytes(range(1, 33)), index) | PRODUCTION)


def test_keys_do_not_show_in_a_traceback() -> None:
    keys = crypto.WellKnownKeys({})
    assert repr(keys) == "<WellKnownKeys well-known>"


# ---- normal forms and the index


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("13900000001", "13900000001"),
        ("+86 139 0000 0001", "13900000001"),
        ("0086-139-0000-0001", "13900000001"),
        ("8613900000001", "13900000001"),
        ("１３９００００　０００１", "13900000001"),
        ("＋８６１３９００００ ０００１", "13900000001"),
        ("139–0000—0001", "13900000001"),
        ("(0715) 8888-6666", "071588886666"),
        ("+86 715 8888 6666", "071588886666"),
        ("+86 10 8888 6666", "01088886666"),
        ("+86 400 800 1234", "4008001234"),
        ("12345", "12345"),
        ("86881234", "86881234"),  # a local number that happens to begin so
        ("  ", ""),
    ],
)
def test_equal_phones_are_written_alike(typed: str, normal: str) -> None:
    assert crypto.normalise_phone(typed) == normal


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        (" 王 小明 ", "王小明"),
        ("王　小　明", "王小明"),
        ("John  SMITH", "john smith"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉 · 买买提", "阿卜杜拉·买买提"),
    ],
)
def test_equal_names_are_written_alike(typed: str, normal: str) -> None:
    assert crypto.normalise_name(typed) == normal


def test_equal_mail_addresses_are_written_alike() -> None:
    assert crypto.normalise_email(" Wang＠Example.CN ") == "wang@example.cn"


def test_blind_index_depends_on_key_kind_and_value() -> None:
    expected = hmac.new(b"Jefe", b"phone\x0013900000001", hashlib.sha256).digest()
    assert crypto.blind_index(b"Jefe", "13900000001", kind="phone") == expected
    assert crypto.blind_index(b"Jefa", "13900000001", kind="phone") != expected
    assert crypto.blind_index(b"Jefe", "13900000002", kind="phone") != expected
    assert crypto.blind_index(b"Jefe", "13900000001", kind="other") != expected


# ---- query codes


def test_query_code_verifies_with_its_pepper_only() -> None:
    stored = crypto.hash_query_code("1234567890123456", b"pepper")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "1234567890123456" not in stored
    assert crypto.verify_query_code("1234567890123456", stored, b"pepper")
    assert not crypto.verify_query_code("1234567890123457", stored, b"pepper")
    assert not crypto.verify_query_code("1234567890123456", stored, b"salt")


@pytest.mark.parametrize("stored", [None, "", "not a hash"])
def test_no_such_case_is_a_wrong_code(stored: str | None) -> None:
    assert not crypto.verify_query_code("1234567890123456", stored, b"pepper")


def test_no_such_case_takes_as_long_as_a_wrong_code() -> None:
    stored = crypto.hash_query_code("1234567890123456", b"pepper")

    def quickest(held: str | None) -> float:
        times = []
        for _ in range(9):
            begun = time.perf_counter()
            crypto.verify_query_code("1111111111111111", held, b"pepper")
            times.append(time.perf_counter() - begun)
        return min(times)

    wrong, nobody = quickest(stored), quickest(None)
    assert 0.5 < nobody / wrong < 2
    assert wrong > 0.004  # a guess costs something on any machine
