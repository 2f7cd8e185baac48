"""Sealing personal data, keyed look-ups and query codes.

Nothing here knows what a case or a person is. The keys live outside of the database and
of its backups: whoever steals only the database holds noise.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
import stat
import tempfile
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

AES_256_GCM = 1
"""The only algorithm so far; SM4-GCM gets the next number."""

KEY_BYTES = 32
NONCE_BYTES = 12


class SealBroken(Exception):
    """The bytes were altered, moved to another place, or sealed with another key."""


class KeysRefused(Exception):
    """The keys may not be used: missing, readable by others, malformed, or well known."""


# ---- sealing -----------------------------------------------------------------------


def new_data_key() -> bytes:
    """Give a fresh 256-bit key for one subject or one file."""
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, plaintext: bytes, *, aad: bytes) -> bytes:
    """Encrypt with AES-256-GCM: one header byte (algorithm), nonce, ciphertext with tag.

    `aad` says where the result belongs; it is not stored, and opening with another one fails.
    """
    nonce = secrets.token_bytes(NONCE_BYTES)
    header = bytes([AES_256_GCM])
    return header + nonce + AESGCM(key).encrypt(nonce, plaintext, header + aad)


def open_sealed(key: bytes, sealed: bytes, *, aad: bytes) -> bytes:
    """Undo `seal`.

    Raises: SealBroken, if anything differs from what was sealed: bytes, place or key.
    """
    if len(sealed) <= 1 + NONCE_BYTES or sealed[0] != AES_256_GCM:
        raise SealBroken("unknown algorithm or truncated bytes")
    header, nonce, body = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, header + aad)
    except InvalidTag:
        raise SealBroken("altered, moved, or sealed with another key") from None


# ---- keys --------------------------------------------------------------------------


class KeyProvider(Protocol):
    """Where the keys are. A provider backed by a hardware module need never reveal the master key."""

    @property
    def key_id(self) -> str:
        """The master key that new data keys are wrapped with."""

    def wrap(self, data_key: bytes, *, aad: bytes) -> bytes:
        """Seal a data key with the current master key."""

    def unwrap(self, wrapped: bytes, *, key_id: str, aad: bytes) -> bytes:
        """Undo `wrap`. Raises: KeysRefused for an unknown `key_id`; SealBroken."""

    @property
    def index_version(self) -> int:
        """The version of the blind-index key that new entries are made with."""

    def index_key(self, version: int | None = None) -> bytes:
        """The blind-index key of a version; without one, the current. Raises: KeysRefused."""

    @property
    def pepper(self) -> bytes:
        """What query codes are mixed with before they are hashed."""


def _well_known(label: str) -> bytes:
    return hashlib.sha256(b"huying well-known key, never for production: " + label.encode()).digest()


WELL_KNOWN = {label: _well_known(label) for label in ("master", "index", "pepper")}


def _is_production(environ: Mapping[str, str]) -> bool:
    return environ.get("HUYING_ENV", "") == "production"


class _Keys:
    """Keys held in memory; the way they got there is the subclasses' matter."""

    def __init__(
        self,
        *,
        masters: Mapping[str, bytes],
        master: str,
        indexes: Mapping[int, bytes],
        index: int,
        pepper: bytes,
    ) -> None:
        if master not in masters or index not in indexes:
            raise KeysRefused("密钥不完整：当前主密钥或索引密钥不在其中。")
        self._masters, self._master = dict(masters), master
        self._indexes, self._index = dict(indexes), index
        self._pepper = pepper

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._master}>"  # never the keys: tracebacks and logs show this

    @property
    def key_id(self) -> str:
        return self._master

    def wrap(self, data_key: bytes, *, aad: bytes) -> bytes:
        return seal(self._masters[self._master], data_key, aad=b"wrap\0" + aad)

    def unwrap(self, wrapped: bytes, *, key_id: str, aad: bytes) -> bytes:
        if key_id not in self._masters:
            raise KeysRefused(f"没有编号为 {key_id} 的主密钥；请检查密钥文件是否为本库所用。")
        return open_sealed(self._masters[key_id], wrapped, aad=b"wrap\0" + aad)

    @property
    def index_version(self) -> int:
        return self._index

    def index_key(self, version: int | None = None) -> bytes:
        wanted = self._index if version is None else version
        if wanted not in self._indexes:
            raise KeysRefused(f"没有第 {wanted} 版索引密钥。")
        return self._indexes[wanted]

    @property
    def pepper(self) -> bytes:
        return self._pepper

    def _refuse_default(self, environ: Mapping[str, str]) -> None:
        """Refuse in production any key that is published in this file, or that is one byte repeated."""
        if not _is_production(environ):
            return
        every = [*self._masters.values(), *self._indexes.values(), self._pepper]
        if any(key in WELL_KNOWN.values() or len(set(key)) == 1 for key in every):
            raise KeysRefused("生产环境不得使用默认密钥（HUYING_ENV=production）。")
        if len(set(every)) != len(every):
            raise KeysRefused("主密钥、索引密钥和查询码密钥必须各不相同。")


class WellKnownKeys(_Keys):
    """The same published keys everywhere: for tests and demonstrations. Refused in production."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        super().__init__(
            masters={"well-known": WELL_KNOWN["master"]},
            master="well-known",
            indexes={1: WELL_KNOWN["index"]},
            index=1,
            pepper=WELL_KNOWN["pepper"],
        )
        self._refuse_default(environ)


class EnvKeys(_Keys):
    """Keys from `HUYING_MASTER_KEY`, `HUYING_INDEX_KEY` and `HUYING_PEPPER` (base64 of 32 bytes each).

    Raises: KeysRefused, if one is missing, malformed or, in production, a default.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        master = _decoded(environ.get("HUYING_MASTER_KEY", ""), "HUYING_MASTER_KEY")
        name = key_name(master)
        super().__init__(
            masters={name: master},
            master=name,
            indexes={1: _decoded(environ.get("HUYING_INDEX_KEY", ""), "HUYING_INDEX_KEY")},
            index=1,
            pepper=_decoded(environ.get("HUYING_PEPPER", ""), "HUYING_PEPPER"),
        )
        self._refuse_default(environ)


class FileKeys(_Keys):
    """Keys from a JSON file that only its owner can read; made with random keys when missing.

    The file may hold older master and index keys next to the current ones, so that a key can
    be changed without re-encrypting on the same day. Back it up apart from the database.

    Raises: KeysRefused, if group or world can read it, it is malformed, or, in production, a default.
    """

    def __init__(self, path: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> None:
        place = Path(path)
        if not place.exists():
            _create_key_file(place)
        held = _read_private(place)
        try:
            super().__init__(
                masters={name: _decoded(text, name) for name, text in held["master"]["keys"].items()},
                master=str(held["master"]["current"]),
                indexes={int(name): _decoded(text, name) for name, text in held["index"]["keys"].items()},
                index=int(held["index"]["current"]),
                pepper=_decoded(held["pepper"], "pepper"),
            )
        except (KeyError, TypeError, AttributeError, ValueError):
            raise KeysRefused(f"密钥文件 {place.name} 格式不正确。") from None
        self._refuse_default(environ)


def key_name(key: bytes) -> str:
    """Name a key after itself, so that a wrong key file is noticed by name and not by garbage."""
    return "k-" + hashlib.sha256(b"huying key name" + key).hexdigest()[:12]


def _decoded(text: str, name: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise KeysRefused(f"{name} 缺失，或不是 {KEY_BYTES} 字节密钥的 base64 文本。")
    return key


def _read_private(place: Path) -> dict[str, Any]:
    with place.open("rb") as file:
        facts = os.fstat(file.fileno())  # of the opened file: a name could be swapped in between
        if stat.S_IMODE(facts.st_mode) & 0o077:
            raise KeysRefused(f"密钥文件 {place.name} 可被他人读取；请执行 chmod 600。")
        if facts.st_uid not in (0, os.geteuid()):
            raise KeysRefused(f"密钥文件 {place.name} 属于其他用户。")
        try:
            held: dict[str, Any] = json.load(file)
        except ValueError:
            raise KeysRefused(f"密钥文件 {place.name} 不是 JSON。") from None
    return held


def _create_key_file(place: Path) -> None:
    """Write fresh keys. Two processes starting at once end up with the same file: the first one's."""

    def fresh() -> str:
        return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()

    master = secrets.token_bytes(KEY_BYTES)
    name = key_name(master)
    content = {
        "master": {"current": name, "keys": {name: base64.b64encode(master).decode()}},
        "index": {"current": 1, "keys": {"1": fresh()}},
        "pepper": fresh(),
    }
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=place.parent, prefix=".keys-")  # 0600 from the first byte
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(content, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, place)  # unlike rename, refuses to replace
        except FileExistsError:
            return
        _sync_folder(place.parent)
    finally:
        os.unlink(draft)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# ---- keyed look-up -----------------------------------------------------------------


def blind_index(key: bytes, value: str, *, kind: str = "") -> bytes:
    """Give the HMAC-SHA256 by which an already normalised value can be looked up.

    `kind` keeps a phone and an equal text of another kind apart.
    """
    return hmac.new(key, kind.encode() + b"\0" + value.encode(), hashlib.sha256).digest()


_PHONE_FILLING = re.compile(r"[\s().·_\-\u00ad\u2010-\u2015\u2212]+")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def normalise_phone(text: str) -> str:
    """Write a phone number in the one way that equal numbers share; empty stays empty.

    NFKC, without filling and without China's prefix (+86, 0086, or 86 before a mobile number).
    The trunk zero that the prefix replaces comes back: `+86 27 8888 6666` is `02788886666`.
    """
    number = _PHONE_FILLING.sub("", unicodedata.normalize("NFKC", text))
    for prefix in ("+86", "0086"):
        if number.startswith(prefix):
            return _with_trunk_zero(number.removeprefix(prefix))
    if number.startswith("86") and _MOBILE.fullmatch(number[2:]):
        return number[2:]
    return number


def _with_trunk_zero(number: str) -> str:
    is_geographic = 9 <= len(number) <= 11 and not _MOBILE.fullmatch(number)
    if is_geographic and not number.startswith(("0", "400", "800")):
        return "0" + number
    return number


def normalise_name(text: str) -> str:
    """NFKC, lower case, middle dots alike; no white space beside Chinese characters, single elsewhere."""
    name = re.sub(r"[・•‧∙]", "·", unicodedata.normalize("NFKC", text))
    name = re.sub(r"\s+", " ", name).strip().casefold()
    return re.sub(r"(?<=[\u3400-\u9fff·]) | (?=[\u3400-\u9fff·])", "", name)


def normalise_email(text: str) -> str:
    """NFKC, without white space, lower case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


NORMALISE: Mapping[str, Callable[[str], str]] = {
    "phone": normalise_phone,
    "name": normalise_name,
    "email": normalise_email,
}

# ---- query codes -------------------------------------------------------------------

# 19 MiB and two passes (OWASP's minimum): about 20 ms, which a form bears and a guesser does not.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, hash_len=32, salt_len=16, type=Type.ID)

# Of a random text that nobody kept; same parameters, so that "no such case" takes as long as "wrong code".
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$pR8FELK28RepzF37m2ArTw$rLztkL/1l89sELtaOc+Xq5LUnU1tE1lNb0ppG74qXbE"


def hash_query_code(code: str, pepper: bytes) -> str:
    """Hash a cleaned query code with Argon2id for storing."""
    return _HASHER.hash(_peppered(code, pepper))


def verify_query_code(code: str, stored: str | None, pepper: bytes) -> bool:
    """Say whether `code` is the one stored. Pass None for a case that does not exist: same time, False."""
    try:
        matches = _HASHER.verify(stored or _NOBODY, _peppered(code, pepper))
    except (VerificationError, InvalidHashError):
        return False
    return matches and bool(stored)


def _peppered(code: str, pepper: bytes) -> bytes:
    return hmac.new(pepper, code.encode(), hashlib.sha256).digest()
