"""An action's typed input as an HTML form, and what came back as the data that `perform` takes.

The form shows and parses; it never judges. `perform` validates, and what it refuses is shown at its field.
"""

import types
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any, Literal, Union, get_args, get_origin

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from huying.base.clock import LEGAL_ZONE
from huying.core.verdict import Refused
from huying.ui.words import WORDS, topic_of

Pairs = Sequence[tuple[Any, Any]]
Look = Literal["select", "radio", "suggest", "checks", "many", "several"]
LONG = 400
"""Texts that may be longer get a box of several lines."""
PART = "__"
"""Between the name of a nested input and its field, as in `requester__phone`."""


@dataclass(frozen=True)
class Options:
    """What a field offers: (value, label) pairs, labels of groups holding pairs, and how they look.

    `suggest` is a free text with a list of proposals; `checks` and `many` take several values, `several` is
    some such texts with one list.
    """

    pairs: Pairs
    look: Look = "select"
    source: str = ""
    """Where a page with htmx asks for the proposals of what was typed, where there are too many to carry along."""


class Suggest(forms.TextInput):
    """A text with proposals (`<datalist>`)."""

    template_name = "ui/suggest.html"

    def __init__(self, pairs: Pairs, attrs: dict[str, Any] | None = None, *, source: str = "") -> None:
        super().__init__(attrs)
        self.pairs, self.source = pairs, source

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["pairs"] = self.pairs
        attrs = context["widget"]["attrs"]
        attrs["list"] = f"{attrs.get('id', name)}_list"
        if self.source:
            attrs |= {
                "hx-get": self.source, "hx-trigger": "input changed delay:250ms", "hx-sync": "this:replace",
                "hx-target": "next datalist", "hx-swap": "innerHTML", "hx-params": name,
                "hx-disabled-elt": "unset",
            }  # fmt: skip
        return context


class Several(Suggest):
    """Some texts with one list of proposals: as many as are filled in and one more, at least three."""

    template_name = "ui/several.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        given = [str(one) for one in value or () if one]
        context["widget"]["values"] = given + [""] * max(1, 3 - len(given))
        return context

    def format_value(self, value: Any) -> Any:
        return None

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name) if hasattr(data, "getlist") else list(data.get(name) or ())


class Files(forms.FileInput):
    """Several files in one input."""

    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[UploadedFile]:
        return files.getlist(name) if hasattr(files, "getlist") else []


class Lines(forms.Textarea):
    """Several texts, one a line."""

    def format_value(self, value: Any) -> str | None:
        return "\n".join(value) if isinstance(value, list | tuple) else super().format_value(value)


ACCEPT = ".jpg,.jpeg,.png,.webp,.pdf,.docx,.xlsx,.txt,.mp3,.m4a,.wav"
FILES_HINT = "可以一次选择多个文件：图片、PDF、Word、Excel、文本或录音，每个不超过 20 MB。"


def form_for(
    model: type[BaseModel],
    *,
    action_id: str = "",
    choices: Mapping[str, Options] | None = None,
    labels: Mapping[str, str] | None = None,
    hints: Mapping[str, str] | None = None,
    leave_out: Iterable[str] = (),
    needed: Collection[str] = (),
) -> type[forms.Form]:
    """A form class with one field for each field of `model`, in its order; nested inputs are laid flat.

    `choices`, `labels` and `hints` go by the field's name in the form; `leave_out` names what the page fills itself,
    `needed` what the page asks for although the action does not.
    """
    hidden = set(leave_out)
    fields: dict[str, Any] = {}
    for name, info in _flat(model):
        if name in hidden or name.split(PART)[0] in hidden:
            continue
        options = (choices or {}).get(name) or _own_options(name, info, action_id)
        required = info.is_required() or name in needed
        fields[name] = _field(name, info, options, (labels or {}).get(name), (hints or {}).get(name), required)
    return type(f"{model.__name__}Form", (ActionForm,), fields)


class ActionForm(forms.Form):
    """The base of all forms of actions. Ids begin with `f-`, so that pages may give others."""

    required_css_class = "required"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "f-%s")
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def has_files(self) -> bool:
        return self.is_multipart()


def to_data(
    model: type[BaseModel], post: QueryDict, uploads: MultiValueDict[str, UploadedFile] | None = None
) -> tuple[dict[str, Any], "Uploads"]:
    """The dict that `perform` takes, and the files that came along under the names the dict gives."""
    files = Uploads()
    data: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        nested = _model_in(info.annotation)
        if nested is not None and not _all_bool(nested):
            inner, _none = to_data(nested, _inside(post, name))
            data[name] = inner or None
        else:
            data[name] = _value(name, info, post, uploads, files)
    return {name: value for name, value in data.items() if value is not None}, files


class Uploads:
    """The files of one request, by the names that the data give them."""

    def __init__(self) -> None:
        self._files: dict[str, UploadedFile] = {}

    def add(self, file: UploadedFile) -> str:
        """Take a file in; two of the same name get different ones, the ending stays."""
        name = file.name or "file"
        while name in self._files:
            name = f"{len(self._files) + 1}-{file.name}"
        self._files[name] = file
        return name

    def open(self, name: str) -> IO[bytes] | None:
        file = self._files.get(name)
        if file is None:
            return None
        file.seek(0)
        return file  # type: ignore[return-value]  # reads and seeks like any file


def show_refusal(
    form: forms.Form, refused: Refused, *, model: type[BaseModel] | None = None, data: Mapping[str, Any] | None = None
) -> bool:
    """Put what was refused at its field. False when it belongs on top of the page, with its article.

    With the action's `model` and `data` a mistake within a nested input is shown at the very field.
    """
    kind, _colon, name = refused.code.partition(":")
    if kind not in ("missing", "invalid"):
        return False
    if not hasattr(form, "cleaned_data"):
        form.full_clean()
    name, _dot, within = name.partition(".")
    at = f"{name}{PART}{within}" if within else name
    at = at if at in form.fields else _nested_field(name, model, data or {})
    if at not in form.fields:
        at = next((field for field in form.fields if field.split(PART)[0] == name), "")
    if not at:
        return False
    form.add_error(at, _by_its_label(refused.reason, form, at, model.model_fields.get(name) if model else None))
    if kind == "missing" and model:
        _mark_missing(form, model, data or {})
    return True


def _by_its_label(reason: str, form: forms.Form, at: str, info: FieldInfo | None) -> str:
    """The reason with the field called as this page calls it."""
    title = info.title if info else None
    return reason.replace(f"“{title}”", f"“{form.fields[at].label}”") if title else reason


def _mark_missing(form: forms.Form, model: type[BaseModel], data: Mapping[str, Any]) -> None:
    """Tell at once of every field that the input asks for and that is empty: nobody should be sent back five times."""
    for name, info in model.model_fields.items():
        field = form.fields.get(name)
        if field is not None and info.is_required() and data.get(name) in (None, "", []) and name not in form.errors:
            form.add_error(name, _("请填写“%(label)s”。") % {"label": field.label})


def _nested_field(name: str, model: type[BaseModel] | None, data: Mapping[str, Any]) -> str:
    """Where in the nested input `name` the first mistake is, as the form names it."""
    nested = _model_in(model.model_fields[name].annotation) if model and name in model.model_fields else None
    if nested is None:
        return ""
    try:
        nested.model_validate(data.get(name) or {})
    except ValidationError as error:
        return PART.join((name, *(str(part) for part in error.errors()[0]["loc"])))
    return ""


# ---- from the model to fields ------------------------------------------------------


def _flat(model: type[BaseModel], before: str = "") -> Iterable[tuple[str, FieldInfo]]:
    for name, info in model.model_fields.items():
        nested = _model_in(info.annotation)
        if nested is not None and not _all_bool(nested):
            yield from _flat(nested, f"{before}{name}{PART}")
        else:
            yield before + name, info


def _kinds(annotation: Any) -> list[Any]:
    """The members of a union without None; else the annotation alone."""
    if get_origin(annotation) in (Union, types.UnionType):
        return [one for one in get_args(annotation) if one is not type(None)]
    return [annotation]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    kind = _kinds(annotation)[0]
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _all_bool(model: type[BaseModel]) -> bool:
    return all(info.annotation is bool for info in model.model_fields.values())


def _is_optional(annotation: Any) -> bool:
    return len(_kinds(annotation)) != len(get_args(annotation) or (annotation,))


def _own_options(name: str, info: FieldInfo, action_id: str) -> Options | None:
    """The options that the type itself gives: those of a Literal, a rating, a yes or no that may be left open."""
    kind = _kinds(info.annotation)[0]
    words = WORDS.get(topic_of(name.split(PART)[-1], action_id), {})
    nested = _model_in(info.annotation)
    if nested is not None:
        return Options([(field, one.title or field) for field, one in nested.model_fields.items()], "checks")
    if get_origin(kind) is tuple and get_origin(get_args(kind)[0]) is Literal:
        return Options([(value, words.get(value, value)) for value in get_args(get_args(kind)[0])], "checks")
    if get_origin(kind) is Literal:
        values = [value for value in get_args(kind) if value != ""]
        pairs = [(value, words.get(value, value)) for value in values]
        return Options(pairs, "radio" if len(pairs) <= 5 else "select")
    if kind is int and name in ("rating", "trust"):
        return Options(list(WORDS[name].items()), "radio")
    if kind is bool and (_is_optional(info.annotation) or info.default is None):
        return Options([("true", "是"), ("false", "否")], "radio")
    return None


def _longest(info: FieldInfo) -> int | None:
    for one in info.metadata:
        if getattr(one, "max_length", None):
            return int(one.max_length)
    return None


def _field(
    name: str, info: FieldInfo, options: Options | None, label: str | None, hint: str | None, required: bool
) -> forms.Field:
    label = label or info.title or name
    if name == "attachments":
        attrs = {"accept": ACCEPT}
        return forms.Field(required=False, label=label, widget=Files(attrs), help_text=hint or FILES_HINT)
    widget = _choice_widget(options, required) if options else _plain_widget(info)
    if required and not isinstance(widget, forms.CheckboxSelectMultiple | forms.CheckboxInput):
        widget.attrs["required"] = True
    field = forms.Field(
        required=False, label=label, widget=widget, help_text=hint or info.description or _own_hint(info, options)
    )
    field.is_needed = required  # type: ignore[attr-defined]  # read by ui/_field.html
    return field


def _own_hint(info: FieldInfo, options: Options | None) -> str:
    many = get_origin(_kinds(info.annotation)[0]) is tuple
    return _("每行填写一个。") if many and options is None else ""


def _choice_widget(options: Options, required: bool) -> forms.Widget:
    match options.look:
        case "suggest":
            return Suggest(options.pairs, {"autocomplete": "off"}, source=options.source)
        case "several":
            return Several(options.pairs, {"autocomplete": "off"}, source=options.source)
        case "radio":
            return forms.RadioSelect(choices=list(options.pairs))
        case "checks":
            return forms.CheckboxSelectMultiple(choices=list(options.pairs))
        case "many":
            return forms.SelectMultiple(choices=list(options.pairs))
        case _:
            first = _("请选择") if required else _("不选")
            return forms.Select(choices=[("", first), *options.pairs])


def _plain_widget(info: FieldInfo) -> forms.Widget:
    kind = _kinds(info.annotation)[0]
    longest = _longest(info)
    if kind is bool:
        return forms.CheckboxInput()
    if kind is Decimal:
        return forms.NumberInput({"inputmode": "decimal", "step": "0.01"})
    if kind is int:
        bounds = {
            side: getattr(one, mark)
            for one in info.metadata
            for mark, side in (("ge", "min"), ("le", "max"))
            if getattr(one, mark, None) is not None
        }
        return forms.NumberInput({"inputmode": "numeric", **bounds})
    if kind is datetime:
        return forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    if kind is date:
        return forms.DateInput({"type": "date"}, format="%Y-%m-%d")  # what browsers read, whatever the language
    if get_origin(kind) is tuple or get_origin(kind) is dict:
        return Lines({"rows": 3})
    attrs: dict[str, Any] = {"maxlength": longest} if longest else {}
    if longest is None or longest > LONG:
        return forms.Textarea({"rows": 5 if (longest or 0) > 2000 else 3, **attrs})
    return forms.TextInput(attrs)


# ---- from the request to data ------------------------------------------------------


def _inside(post: QueryDict, name: str) -> QueryDict:
    inner = QueryDict(mutable=True)
    before = name + PART
    for key in post:
        if key.startswith(before):
            inner.setlist(key.removeprefix(before), post.getlist(key))
    return inner


def _value(
    name: str,
    info: FieldInfo,
    post: QueryDict,
    uploads: MultiValueDict[str, UploadedFile] | None,
    files: "Uploads",
) -> Any:
    kind = _kinds(info.annotation)[0]
    nested = _model_in(info.annotation)
    if name == "attachments":
        return [files.add(file) for file in (uploads.getlist(name) if uploads else []) if file]
    if nested is not None:
        return {field: field in post.getlist(name) for field in nested.model_fields}
    if get_origin(kind) is tuple:
        return [line.strip() for value in post.getlist(name) for line in value.splitlines() if line.strip()]
    if get_origin(kind) is dict:
        on = {line.strip(): True for value in post.getlist(name) for line in value.splitlines() if line.strip()}
        offered = {offer: False for offer in post.getlist(f"{name}-offered")}
        return {**offered, **on}
    value = post.get(name, "").strip()
    if kind is bool and not _is_optional(info.annotation):
        return value not in ("", "false")
    if value == "":
        return None
    if kind is datetime:
        return _aware(value)
    return value


def _aware(value: str) -> str:
    """A time typed on a page is meant in the legal zone."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    return (at if at.tzinfo else at.replace(tzinfo=LEGAL_ZONE)).isoformat()
