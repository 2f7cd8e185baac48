"""The mapping file: which column of the old system is what, and what its codes mean here."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

ANY_OTHER = "*"
"""In a code table: every value that the table does not name."""


class UnclearMapping(Exception):
    """The mapping cannot be taken as it stands; one line a problem: file, key, reason, mend."""


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_several)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileFormat(_Part):
    """How the file is written."""

    encoding: Literal["auto", "utf-8", "gb18030", "utf-16"] = "auto"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    sheet: str = ""


class Columns(_Part):
    """For each field of a case the column, or the columns that are joined, in which it stands."""

    external_no: Names
    content: Names
    submitted_at: Names = ()
    title: Names = ()
    kind: Names = ()
    channel: Names = ()
    category: Names = ()
    urgency: Names = ()
    state: Names = ()
    outcome: Names = ()
    unit: Names = ()
    place: Names = ()
    place_unit: Names = ()
    longitude: Names = ()
    latitude: Names = ()
    dispatched_at: Names = ()
    claimed_at: Names = ()
    replied_at: Names = ()
    closed_at: Names = ()
    note: Names = ()
    reply: Names = ()
    submitted_by: Names = ()
    anonymous: Names = ()
    name: Names = ()
    phone: Names = ()
    email: Names = ()
    address: Names = ()

    @property
    def used(self) -> list[str]:
        return [column for _, names in self for column in names]


TIMES = ("submitted_at", "dispatched_at", "claimed_at", "replied_at", "closed_at")
CODED = ("kind", "channel", "urgency", "state", "outcome", "anonymous")
JOINED = {"category": "/", "place_unit": "/", "note": "\n", "reply": "\n", "content": "\n", "place": "", "title": " "}


class Codes(_Part):
    """What a value of the old system is called here. `"*"` stands for every other value, `""` for an empty cell."""

    kind: Mapping[str, str] = {}
    channel: Mapping[str, str] = {}
    urgency: Mapping[str, Literal["", "normal", "urgent", "immediate"]] = {}
    state: Mapping[str, str] = {}
    outcome: Mapping[str, str] = {}
    anonymous: Mapping[str, bool] = {}
    unit: Mapping[str, str] = {}


class Defaults(_Part):
    """What an empty cell, or a field without a column, means."""

    kind: str = ""
    channel: str = "legacy"
    urgency: Literal["", "normal", "urgent", "immediate"] = ""
    state: str = "closed"
    outcome: str = ""
    place: str = ""
    unit: str = ""


class Rewrite(_Part):
    """One normalisation of a unit's name: every match of `pattern` is replaced."""

    pattern: str
    replace: str = ""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"不是合法的正则表达式（{error}）") from None
        return value


class Bounds(_Part):
    """Where the coordinates of the place can lie; those swapped are put right, those outside are left out."""

    longitude: tuple[float, float]
    latitude: tuple[float, float]


class Mapping_(_Part):
    """A mapping file, checked."""

    columns: Columns
    platform: str = ""
    mode: Literal["history", "new"] = "history"
    dispatch: bool = False
    """In mode `new`: dispatch each case to its unit at once."""
    time_zone: str = "Asia/Shanghai"
    time_formats: tuple[str, ...] = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M")
    ignore: tuple[str, ...] = ()
    """Columns that are knowingly left behind."""
    file: FileFormat = FileFormat()
    codes: Codes = Codes()
    defaults: Defaults = Defaults()
    unit_rewrites: tuple[Rewrite, ...] = ()
    drop: Mapping[str, tuple[str, ...]] = {}
    """For a joined field: parts that say nothing."""
    coordinates: Bounds | None = None
    """Kept at the end of the place when given; else the two columns are read and left behind."""

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("没有这个时区，例如 Asia/Shanghai") from None
        return value

    @model_validator(mode="after")
    def _holds_together(self) -> "Mapping_":
        if not self.columns.kind and not self.defaults.kind:
            raise ValueError("诉求类型没有列也没有默认值，请写 columns.kind 或 defaults.kind")
        if self.mode == "history" and not self.columns.submitted_at:
            raise ValueError("按历史导入须有提交时间，请写 columns.submitted_at")
        both = set(self.ignore) & set(self.columns.used)
        if both:
            raise ValueError(f"列“{'、'.join(sorted(both))}”既在 columns 又在 ignore，请只留一处")
        unknown = set(self.drop) - set(JOINED)
        if unknown:
            raise ValueError(f"drop 里的“{'、'.join(sorted(unknown))}”不是可合并的项：{'、'.join(JOINED)}")
        return self


def load_mapping(path: Path) -> Mapping_:
    """The mapping in `path`.

    Raises: UnclearMapping with every problem found.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UnclearMapping(f"{path}：没有这个文件，请检查路径。") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnclearMapping(f"{path}：不是合法的 TOML：{error} → 改正该行。") from None
    try:
        return Mapping_.model_validate(raw)
    except ValidationError as error:
        raise UnclearMapping("\n".join(f"{path}：{_told(item)}" for item in error.errors())) from None


def _told(item: Any) -> str:
    key = ".".join(map(str, item["loc"])) or "-"
    given = item.get("input")
    match item["type"]:
        case "extra_forbidden":
            return f"{key}：不认识的项 → 删去，或改成使用说明里的名字。"
        case "missing":
            return f"{key}：缺少这一项 → 请补上。"
        case "value_error":
            return f"{key}：{item['ctx']['error']}。"
        case "literal_error":
            return f"{key}：“{given}”不在可选的范围内 → 可用：{item['ctx']['expected']}。"
        case _:
            return f"{key}：“{given}”的格式不对（{item['msg']}）→ 按使用说明改正。"


def check_header(mapping: Mapping_, header: tuple[str, ...], reserved: tuple[str, ...]) -> list[str]:
    """What does not fit between the mapping and the file's columns."""
    problems = [
        f"映射里的列“{name}”在文件里没有 → 改正映射的列名；文件的列：{'、'.join(header)}"
        for name in dict.fromkeys((*mapping.columns.used, *mapping.ignore))
        if name not in header
    ]
    told = {*mapping.columns.used, *mapping.ignore, *reserved}
    problems += [
        f"文件里的列“{name}”在映射里没有 → 写进 columns，不需要的写进 ignore" for name in header if name not in told
    ]
    return problems
