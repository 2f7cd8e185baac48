"""Attachments: what is refused, how the rest is kept, what is handed out."""

import hashlib
import io
import stat
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdf
import pytest
from PIL import Image

from huying.base.crypto import SealBroken, WellKnownKeys
from huying.cases import attachments
from huying.cases.attachments import BadAttachment
from huying.cases.models import Attachment, Case

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(bare_case: Any) -> Any:
    """Below the commands a case is a row and nothing else."""
    return bare_case


@dataclass(frozen=True)
class Someone:
    id: str = "account:7"


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.HUYING_KEYS = WellKnownKeys({})
    settings.HUYING_FILES = tmp_path / "files"
    return settings.HUYING_FILES


def store(case: Case, content: bytes, name: str, **options: Any) -> Attachment:
    return attachments.store(case, io.BytesIO(content), name=name, actor=Someone(), now=NOW, **options)


def served(attachment: Attachment) -> bytes:
    return attachments.open_for(Someone(), attachment).path.read_bytes()


def photo(size: tuple[int, int] = (40, 20), picture_format: str = "JPEG") -> bytes:
    """A picture with a camera, a place and an orientation in its EXIF."""
    exif = Image.Exif()
    exif[0x0110] = "Camera of Wang"
    exif[0x0112] = 6  # to be turned by 90 degrees
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, picture_format, exif=exif)
    return out.getvalue()


def pdf(pages: int = 1, password: str = "") -> bytes:
    writer, out = pypdf.PdfWriter(), io.BytesIO()
    for _ in range(pages):
        writer.add_blank_page(width=10, height=10)
    if password:
        writer.encrypt(password, algorithm="AES-256")
    writer.write(out)
    return out.getvalue()


def office(main: str = "word/document.xml", more: dict[str, bytes] | None = None, types: str = "<Types/>") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"[Content_Types].xml": types.encode(), main: b"<x/>", **(more or {})}.items():
            archive.writestr(name, content)
    return out.getvalue()


# ---- keeping


def test_a_file_is_kept_privately_under_a_random_name(case: Case, files: Path) -> None:
    attachment = store(case, pdf(), "王小明举报材料.PDF", action="case.submit", purpose="statement")
    stored = [path for path in files.rglob("*") if path.is_file()]
    assert [path.name for path in stored] == [attachment.key]
    assert stat.S_IMODE(stored[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(stored[0].parent.stat().st_mode) == 0o700
    assert len(attachment.key) >= 32
    assert (attachment.label, attachment.content_type) == ("附件1.pdf", "application/pdf")
    assert (attachment.size, attachment.sha256) == (len(pdf()), hashlib.sha256(pdf()).hexdigest())
    assert (attachment.uploaded_at, attachment.uploaded_by) == (NOW, "account:7")
    assert (attachment.action, attachment.purpose) == ("case.submit", "statement")
    assert not attachment.sealed_original
    assert not any("王小明" in str(value) for value in vars(attachment).values())


def test_labels_count_on(case: Case) -> None:
    sent = [(pdf(), "a.pdf"), (photo(), "b.jpeg"), (b"x", "c.txt")]
    labels = [store(case, content, name).label for content, name in sent]
    assert labels == ["附件1.pdf", "附件2.jpg", "附件3.txt"]


def test_what_is_handed_out_has_the_neutral_name(case: Case) -> None:
    attachment = store(case, pdf(), "秘密.pdf")
    handed = attachments.open_for(Someone(), attachment)
    assert (handed.name, handed.content_type, handed.size) == ("附件1.pdf", "application/pdf", len(pdf()))
    assert handed.path.read_bytes() == pdf()


@pytest.mark.parametrize(("picture_format", "name"), [("JPEG", "a.jpg"), ("PNG", "a.png"), ("WEBP", "a.webp")])
def test_handlers_get_a_picture_without_exif_and_upright(case: Case, picture_format: str, name: str) -> None:
    attachment = store(case, photo(picture_format=picture_format), name)
    with Image.open(io.BytesIO(served(attachment))) as picture:
        assert dict(picture.getexif()) == {}
        assert picture.size == (20, 40)
        assert picture.format == picture_format
    assert b"Camera of Wang" not in served(attachment)
    assert hashlib.sha256(served(attachment)).hexdigest() == attachment.served_sha256


def test_the_original_is_sealed_and_comes_back_whole(case: Case, files: Path) -> None:
    attachment = store(case, photo(), "a.jpg")
    sealed = next(files.rglob("*.sealed"))
    assert attachment.sealed_original
    assert stat.S_IMODE(sealed.stat().st_mode) == 0o600
    assert b"Camera of Wang" not in sealed.read_bytes()
    assert attachments.open_original(attachment) == photo()
    assert attachment.sha256 == hashlib.sha256(photo()).hexdigest()


def test_a_sealed_original_cannot_be_exchanged_for_another(case: Case, files: Path) -> None:
    one, other = store(case, photo(), "a.jpg"), store(case, photo((8, 8)), "b.jpg")
    (files / one.key[:2] / f"{one.key}.sealed").write_bytes(
        (files / other.key[:2] / f"{other.key}.sealed").read_bytes()
    )
    with pytest.raises(SealBroken):
        attachments.open_original(one)


def test_transparency_survives(case: Case) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (4, 4), (10, 20, 30, 0)).save(out, "PNG")
    with Image.open(io.BytesIO(served(store(case, out.getvalue(), "a.png")))) as picture:
        assert picture.getpixel((0, 0)) == (10, 20, 30, 0)


def test_chinese_text_in_the_old_encoding_is_handed_out_as_utf_8(case: Case) -> None:
    attachment = store(case, "路灯不亮\r\n".encode("gb18030"), "a.txt")
    assert served(attachment).decode("utf-8") == "路灯不亮\r\n"


def test_files_left_by_a_rolled_back_transaction_are_listed(case: Case, files: Path) -> None:
    store(case, pdf(), "a.pdf")
    gone = store(case, photo(), "b.jpg")
    key = gone.key
    gone.delete()
    left = attachments.unreferenced(before=datetime(2999, 1, 1, tzinfo=UTC))
    assert sorted(path.name for path in left) == [key, f"{key}.sealed"]
    assert list(attachments.unreferenced(before=datetime(2000, 1, 1, tzinfo=UTC))) == []


# ---- refusing


@pytest.mark.parametrize(
    "name", ["a.exe", "a.gif", "a.svg", "a.html", "a.pdf.exe", "a.docm", "a.zip", "a", "", "a.", "pdf"]
)
def test_other_extensions_are_refused(case: Case, name: str) -> None:
    with pytest.raises(BadAttachment, match="不支持") as refused:
        store(case, pdf(), name)
    assert refused.value.code == "invalid:attachments"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (pdf(), "a.jpg"),
        (photo(), "a.png"),
        (photo(), "a.pdf"),
        (b"MZ" + bytes(100), "a.pdf"),
        (b"MZ\x00\x01", "a.txt"),
        (b"<html>", "a.jpg"),
        (b"%PDF-1.7\n", "a.pdf"),
        (b"GIF89a" + pdf(), "a.pdf"),
        (photo()[:300], "a.jpg"),
        (office(), "a.xlsx"),
        (office("xl/workbook.xml"), "a.docx"),
        (office()[:-30], "a.docx"),
        (b"PK\x03\x04" + bytes(50), "a.docx"),
        (pdf(), "a.mp3"),
        (b"\xff\xfe\x00", "a.txt"),
    ],
)
def test_content_of_another_type_or_broken_is_refused(case: Case, files: Path, content: bytes, name: str) -> None:
    with pytest.raises(BadAttachment, match="不是有效的"):
        store(case, content, name)
    assert not files.exists()
    assert not Attachment.objects.exists()


def test_size_has_two_sides(case: Case) -> None:
    assert store(case, b"a" * (20 * 1024 * 1024), "a.txt").size == 20 * 1024 * 1024
    with pytest.raises(BadAttachment, match="20 MB"):
        store(case, b"a" * (20 * 1024 * 1024 + 1), "a.txt")
    with pytest.raises(BadAttachment, match="空"):
        store(case, b"", "a.txt")


def test_pixels_have_two_sides(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_PIXELS", 800)
    store(case, photo((40, 20)), "a.jpg")
    with pytest.raises(BadAttachment, match="像素"):
        store(case, photo((41, 20)), "a.jpg")


def test_a_picture_of_fifty_million_pixels_and_one_row_is_refused_unopened(case: Case) -> None:
    out = io.BytesIO()
    Image.new("1", (10_000, 5_001)).save(out, "PNG")
    with pytest.raises(BadAttachment, match="5000 万像素"):
        store(case, out.getvalue(), "a.png")


def test_pages_have_two_sides(case: Case) -> None:
    store(case, pdf(300), "a.pdf")
    with pytest.raises(BadAttachment, match="300 页"):
        store(case, pdf(301), "a.pdf")


def test_passwords_are_refused(case: Case) -> None:
    with pytest.raises(BadAttachment, match="密码"):
        store(case, pdf(password="x"), "a.pdf")


@pytest.mark.parametrize(
    ("more", "types", "why"),
    [
        ({"word/media/a.bin": bytes(3 * 1024 * 1024)}, "<Types/>", "压缩比"),
        ({"word/a.zip": b"PK"}, "<Types/>", "压缩包"),
        ({"word/vbaProject.bin": b"x"}, "<Types/>", "宏"),
        ({"../../etc/passwd": b"x"}, "<Types/>", "路径"),
        ({"/etc/passwd": b"x"}, "<Types/>", "路径"),
        ({}, '<Override ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"/>', "宏"),
    ],
)
def test_office_files_with_more_than_a_document_are_refused(
    case: Case, more: dict[str, bytes], types: str, why: str
) -> None:
    with pytest.raises(BadAttachment, match=why):
        store(case, office(more=more, types=types), "a.docx")


def test_a_file_that_unpacks_beyond_the_limit_is_refused_by_its_directory(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MOST_UNPACKED", 1000)
    with pytest.raises(BadAttachment, match="展开后"):
        store(case, office(more={"word/media/a.bin": bytes(1000)}), "a.docx")


def test_a_real_workbook_is_taken(case: Case) -> None:
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet().write(0, 0, "诉求")
    assert store(case, out.getvalue(), "a.xlsx").label == "附件1.xlsx"


# ---- placeholders


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("核减说明.pdf", "附件1.pdf"),
        ("现场照片.jpg", "附件1.jpg"),
        ("现场照片.JPEG", "附件1.jpg"),
        ("截图.png", "附件1.png"),
        ("图.webp", "附件1.webp"),
        ("说明.docx", "附件1.docx"),
        ("台账.xlsx", "附件1.xlsx"),
        ("说明.txt", "附件1.txt"),
        ("录音.mp3", "附件1.mp3"),
        ("录音.m4a", "附件1.m4a"),
        ("录音.wav", "附件1.wav"),
        ("盖章说明", "附件1.txt"),
    ],
)
def test_placeholders_pass_the_same_checks(case: Case, name: str, label: str) -> None:
    attachment = attachments.store_placeholder(case, name, actor=Someone(), now=NOW, action="case.reply")
    assert attachment.label == label
    assert served(attachment)
