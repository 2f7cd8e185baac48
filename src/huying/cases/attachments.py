"""Attachments: what is taken in, how it is kept, what is handed out.

A file is judged by its extension and by its content, and both must agree on a type of the list.
It is kept under a random key, outside the web root, readable by the service alone. Of an image,
handlers get a copy without EXIF (place, time, device); the original is sealed beside it.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import re
import secrets
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, cast
from uuid import uuid4

import puremagic
import pypdf
from django.conf import settings
from PIL import Image, ImageOps

from huying.base import crypto
from huying.base.crypto import KeyProvider
from huying.cases.models.attachment import Attachment

if TYPE_CHECKING:
    from huying.cases.models import Case

MOST_BYTES = 20 * 1024 * 1024
MOST_PIXELS = 50_000_000
MOST_PAGES = 300
MOST_UNPACKED = 200 * 1024 * 1024
MOST_MEMBERS = 5_000
MOST_RATIO = 100
RATIO_COUNTS_FROM = 1024 * 1024  # a few kilobytes of blank cells may well shrink a hundredfold

TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "txt": "text/plain",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "wav": "audio/wav",
}
_ALIASES = {"jpeg": "jpg"}
_PILLOW = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}
_MAIN_PART = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_ARCHIVES = ("zip", "rar", "7z", "gz", "tgz", "bz2", "xz", "tar", "jar", "apk", "iso", "cab")
_CODE = ("vbaproject.bin", ".exe", ".dll", ".js", ".vbs", ".bat", ".cmd", ".ps1", ".scr", ".lnk")


class BadAttachment(ValueError):
    """The file is not taken. `message_zh` tells the sender why and what to do."""

    code = "invalid:attachments"

    def __init__(self, message_zh: str) -> None:
        super().__init__(message_zh)
        self.message_zh = message_zh


class Uploader(Protocol):
    """What is kept of who sent a file."""

    @property
    def id(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Served:
    """What a view needs to hand out a file: as a download, `nosniff`, under a sandboxing policy."""

    path: Path
    name: str
    content_type: str
    size: int


# ---- taking in ---------------------------------------------------------------------


def store(
    case: Case,
    file: IO[bytes],
    *,
    name: str,
    actor: Uploader,
    now: datetime,
    action: str = "",
    purpose: str = "evidence",
) -> Attachment:
    """Check a file and keep it as the case's next attachment. `name` gives the extension and is not kept.

    The caller holds the lock on the case: labels are counted. If its transaction is rolled
    back, a file without a row stays behind; `unreferenced` lists such files.

    Raises: BadAttachment.
    """
    extension = _extension(name)
    content = file.read(MOST_BYTES + 1)
    served = _CHECKS[extension](content, extension)
    attachment = Attachment(
        id=uuid4(),
        case=case,
        key=secrets.token_urlsafe(24),
        label=f"附件{Attachment.objects.filter(case=case).count() + 1}.{extension}",
        content_type=TYPES[extension],
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        served_sha256=hashlib.sha256(served).hexdigest(),
        uploaded_at=now,
        uploaded_by=actor.id,
        action=action,
        purpose=Attachment.Purpose(purpose),
        sealed_original=extension in _PILLOW,
    )
    _write(_path(attachment), served)
    if attachment.sealed_original:
        _write(_original_path(attachment), _seal_file(attachment, content))
    _sync_folder(_path(attachment).parent)
    attachment.save(force_insert=True)
    return attachment


def store_placeholder(
    case: Case,
    name: str,
    *,
    actor: Uploader,
    now: datetime,
    action: str = "",
    purpose: str = "evidence",
) -> Attachment:
    """Make a small valid file for a name such as `核减说明.pdf` and store it like any other.

    For the scenario runner. A name without an extension of the list becomes a text file.
    """
    extension = name.rpartition(".")[2].lower()
    file = io.BytesIO(placeholder(name))
    known = _ALIASES.get(extension, extension) in TYPES
    file_name = f"x.{extension}" if known else "x.txt"
    return store(case, file, name=file_name, actor=actor, now=now, action=action, purpose=purpose)


def placeholder(name: str) -> bytes:
    """A small valid file of the type that `name` ends in; text when it ends in nothing known."""
    try:
        return _placeholder(_extension(name))
    except BadAttachment:
        return _placeholder("txt")


# ---- handing out -------------------------------------------------------------------


def open_for(actor: Uploader, attachment: Attachment) -> Served:
    """Say what to hand out. Whether `actor` may see the case is decided before, in `cases.access`.

    Raises: FileNotFoundError, if the file is gone from the store.
    """
    path = _path(attachment)
    return Served(path=path, name=attachment.label, content_type=attachment.content_type, size=path.stat().st_size)


def open_original(attachment: Attachment) -> bytes:
    """Give a file exactly as it was sent, EXIF and all: that can name a person.

    The caller checks who may have it, and journals.

    Raises: crypto.SealBroken, if the sealed file was altered or exchanged.
    """
    if not attachment.sealed_original:
        return _path(attachment).read_bytes()
    keys, sealed = _keys(), _original_path(attachment).read_bytes()
    key_id_length, wrapped_length = struct.unpack_from(">BH", sealed)
    body = 3 + key_id_length + wrapped_length
    key_id, wrapped = sealed[3 : 3 + key_id_length].decode(), sealed[3 + key_id_length : body]
    key = keys.unwrap(wrapped, key_id=key_id, aad=_aad(attachment))
    return crypto.open_sealed(key, sealed[body:], aad=_aad(attachment))


def unreferenced(*, before: datetime) -> Iterator[Path]:
    """List stored files without a row, last written before `before`: left by transactions rolled back."""
    known = set(Attachment.objects.values_list("key", flat=True))
    for path in _root().glob("*/*"):
        if path.name.partition(".")[0] not in known and path.stat().st_mtime < before.timestamp():
            yield path


# ---- checks ------------------------------------------------------------------------
# Each takes the content and the extension, and gives the bytes to hand out.


def _extension(name: str) -> str:
    extension = name.rpartition(".")[2].strip().lower() if "." in name else ""
    extension = _ALIASES.get(extension, extension)
    if extension not in TYPES:
        raise BadAttachment("不支持这种文件，请上传 " + "、".join(TYPES) + " 格式的文件。")
    return extension


def _check_size(content: bytes) -> None:
    if not content:
        raise BadAttachment("文件是空的，请重新选择。")
    if len(content) > MOST_BYTES:
        raise BadAttachment(f"文件超过 {MOST_BYTES // 1024 // 1024} MB，请压缩或分开上传。")


def _check_signature(content: bytes, extension: str) -> None:
    """Refuse content whose first bytes are not of the type that the name says."""
    try:
        guesses = {guess.extension.lstrip(".") for guess in puremagic.magic_string(content)}
    except (puremagic.PureError, ValueError):
        guesses = set()
    if extension not in guesses:
        raise _mismatch(extension)


def _mismatch(extension: str) -> BadAttachment:
    return BadAttachment(f"文件内容不是有效的 {extension}，请确认文件没有损坏、也没有改过扩展名。")


@contextmanager
def _as_mismatch(extension: str) -> Iterator[None]:
    """Turn whatever a parser throws at broken input into one refusal: parsers promise no list of errors."""
    try:
        yield
    except (BadAttachment, MemoryError):
        raise
    except Exception:
        raise _mismatch(extension) from None


def _check_image(content: bytes, extension: str) -> bytes:
    _check_size(content)
    _check_signature(content, extension)
    with _as_mismatch(extension), warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
        try:
            image = Image.open(io.BytesIO(content), formats=[_PILLOW[extension]])
        except Image.DecompressionBombError:
            raise _too_many_pixels() from None
        if image.width * image.height > MOST_PIXELS:
            raise _too_many_pixels()
        return _clean_copy(image, _PILLOW[extension])


def _too_many_pixels() -> BadAttachment:
    return BadAttachment(f"图片超过 {MOST_PIXELS // 10_000} 万像素，请缩小后上传。")


def _clean_copy(image: Image.Image, pillow_format: str) -> bytes:
    """Encode the pixels anew, upright, into a picture that never had metadata."""
    upright = ImageOps.exif_transpose(image)
    has_alpha = pillow_format != "JPEG" and upright.has_transparency_data
    clean = Image.new("RGBA" if has_alpha else "RGB", upright.size)
    clean.paste(upright.convert(clean.mode))
    out = io.BytesIO()
    options = {"quality": 88} if pillow_format != "PNG" else {}
    clean.save(out, pillow_format, **options)
    return out.getvalue()


def _check_pdf(content: bytes, extension: str) -> bytes:
    _check_size(content)
    _check_signature(content, extension)
    if not content.startswith(b"%PDF-"):
        raise _mismatch(extension)
    with _as_mismatch(extension):
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            raise BadAttachment("PDF 设有密码，请去掉密码后上传。")
        pages = 0
        for pages, _ in enumerate(reader.pages, start=1):  # counted, as the stated number may lie
            if pages > MOST_PAGES:
                raise BadAttachment(f"PDF 超过 {MOST_PAGES} 页，请分开上传。")
        if pages == 0:
            raise _mismatch(extension)
    return content


def _check_office(content: bytes, extension: str) -> bytes:
    """Look at the directory of the zip only; nothing is unpacked but the short list of contents."""
    _check_size(content)
    _check_signature(content, extension)
    with _as_mismatch(extension), zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        _check_members(members)
        names = {member.filename for member in members}
        if not {"[Content_Types].xml", _MAIN_PART[extension]} <= names:
            raise _mismatch(extension)
        with archive.open("[Content_Types].xml") as part:
            if b"macroenabled" in part.read(1024 * 1024).lower():
                raise BadAttachment("文件含有宏，请另存为不含宏的文件后上传。")
    return content


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if len(members) > MOST_MEMBERS or unpacked > MOST_UNPACKED:
        raise BadAttachment(f"文件展开后超过 {MOST_UNPACKED // 1024 // 1024} MB，不能接收。")
    if unpacked > RATIO_COUNTS_FROM and unpacked > packed * MOST_RATIO:
        raise BadAttachment("文件压缩比异常，不能接收。")
    for member in members:
        name = member.filename.lower()
        if member.flag_bits & 0x1:
            raise BadAttachment("文件设有密码，请去掉密码后上传。")
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise BadAttachment("文件内部路径异常，不能接收。")
        if name.rpartition(".")[2] in _ARCHIVES:
            raise BadAttachment("文件内含压缩包，请取出后分别上传。")
        if name.endswith(_CODE):
            raise BadAttachment("文件含有宏或程序，请另存为不含宏的文件后上传。")


_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


def _check_text(content: bytes, extension: str) -> bytes:
    """Take UTF-8 or GB 18030 without control characters; hand out UTF-8."""
    _check_size(content)
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _CONTROLS.search(text):
            return text.encode()
    raise _mismatch(extension)


def _check_sound(content: bytes, extension: str) -> bytes:
    _check_size(content)
    _check_signature(content, extension)
    return content


_CHECKS: dict[str, Callable[[bytes, str], bytes]] = {
    "jpg": _check_image,
    "png": _check_image,
    "webp": _check_image,
    "pdf": _check_pdf,
    "docx": _check_office,
    "xlsx": _check_office,
    "txt": _check_text,
    "mp3": _check_sound,
    "m4a": _check_sound,
    "wav": _check_sound,
}

# ---- keeping -----------------------------------------------------------------------


def _keys() -> KeyProvider:
    return cast(KeyProvider, settings.HUYING_KEYS)


def _root() -> Path:
    return Path(settings.HUYING_FILES)


def _path(attachment: Attachment) -> Path:
    return _root() / attachment.key[:2] / attachment.key


def _original_path(attachment: Attachment) -> Path:
    return _path(attachment).with_name(attachment.key + ".sealed")


def _aad(attachment: Attachment) -> bytes:
    return b"attachment:" + attachment.pk.bytes


def _seal_file(attachment: Attachment, content: bytes) -> bytes:
    """Put lengths, id of the master key and wrapped key of this file before the sealed content."""
    keys, key = _keys(), crypto.new_data_key()
    key_id, wrapped = keys.key_id.encode(), keys.wrap(key, aad=_aad(attachment))
    sealed = crypto.seal(key, content, aad=_aad(attachment))
    return struct.pack(">BH", len(key_id), len(wrapped)) + key_id + wrapped + sealed


def _write(path: Path, content: bytes) -> None:
    """Write so that the name appears only with the whole content behind it, on disk."""
    for folder in (_root(), path.parent):  # the mode is not given to folders made on the way
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def _sync_folder(folder: Path) -> None:
    """Make the new names last as well as the contents."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# ---- placeholders ------------------------------------------------------------------


@functools.cache
def _placeholder(extension: str) -> bytes:
    out = io.BytesIO()
    if extension in _PILLOW:
        Image.new("RGB", (16, 16), (230, 230, 230)).save(out, _PILLOW[extension])
    elif extension == "pdf":
        writer = pypdf.PdfWriter()
        writer.add_blank_page(width=595, height=842)
        writer.write(out)
    elif extension in _MAIN_PART:
        _blank_office(out, extension)
    else:
        return _PLAIN_PLACEHOLDERS[extension]
    return out.getvalue()


def _blank_office(out: IO[bytes], extension: str) -> None:
    main = _MAIN_PART[extension]
    kind = TYPES[extension] + ".main+xml"
    body = {
        "docx": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        "<w:body><w:p/></w:body></w:document>",
        "xlsx": '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets/></workbook>',
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/{main}" ContentType="{kind}"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
            f'officeDocument" Target="{main}"/></Relationships>',
        )
        archive.writestr(main, body[extension])


_PLAIN_PLACEHOLDERS = {
    "txt": "演示附件\n".encode(),
    "mp3": b"ID3\x03\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" * 64,
    "m4a": b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00M4A mp42isom\x00\x00\x00\x00" + bytes(64),
    "wav": b"RIFF\x24\x00\x00\x00WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    + b"data\x00\x00\x00\x00",
}
