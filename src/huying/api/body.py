"""Reading a body: JSON, or a form with a part `data` (JSON) and files. What it means is judged by `perform`."""

import json
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from huying.api.answers import NotDone
from huying.core.verdict import Refused

LARGEST_ID = 2**63 - 1
UNREADABLE = Refused("invalid:body", "请求内容应为 JSON 对象，并以 UTF-8 编码。")


class SentFiles:
    """The files of a form, by the names that its data gives."""

    def __init__(self, request: HttpRequest) -> None:
        self._files = {file.name: file for file in request.FILES.getlist("files")}

    def open(self, name: str) -> IO[bytes] | None:
        return self._files.get(name)


def read_body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was sent.

    Raises: NotDone when it is none.
    """
    try:
        is_form = request.content_type == "multipart/form-data"
        sent = json.loads(request.POST.get("data", "{}") if is_form else request.body or b"{}")
    except RequestDataTooBig:
        raise NotDone(Refused("invalid:body", "请求内容过大。"), status=413) from None
    except (ValueError, RecursionError):
        raise NotDone(UNREADABLE) from None
    if not isinstance(sent, dict):
        raise NotDone(UNREADABLE)
    return sent


def take_whole(sent: dict[str, Any], name: str) -> int | None:
    """Take a whole number out of the body; None when it is not there.

    Raises: NotDone when it is something else.
    """
    value = sent.pop(name, None)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_ID:
        raise NotDone(Refused(f"invalid:{name}", f"{name} 应为整数。"))
    return value
