"""The routes. Those of the actions come from the registry: a new action has its route without being named here."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Header
from ninja.errors import AuthenticationError, HttpError, ValidationError

from huying.api.actors import SIGN_IN, ApiKeyBearer, StaffSession
from huying.api.answers import NotDone, RefusalOut, on_not_done, refusal
from huying.api.schema import DescribedAPI, bodies_of, body_of, schema_name
from huying.api.views import cases, citizens
from huying.cases.commands import ACTIONS
from huying.cases.commands.registry import Action
from huying.core.verdict import Refused

DESCRIPTION = """
一项操作一个地址，与页面上的按钮、规定的情景用的是同一套登记。被拒绝时说明代码、理由、规则和条文。

- 工作人员：使用工作台的登录会话；除 GET 外须带 `X-CSRFToken`。有多个岗位的，用 `role`（和 `unit`）说明以哪一个办理。
- 市民：编号和查询码放在请求正文里（`/citizen/…`、`/cases/follow`），不用登录，也不用 Cookie。
- 其他平台和应用：`Authorization: Bearer 密钥`，只能提交本渠道的诉求；同一 `external_no` 不会登记两次。
""".strip()
REFUSALS = dict.fromkeys((400, 401, 403, 404, 409, 413, 422, 429), RefusalOut)

api = DescribedAPI(
    title="呼应", version="1.0.0", description=DESCRIPTION, docs_url=None, urls_namespace="api",
    auth=StaffSession(),
)  # fmt: skip
api.described = {}
api.add_exception_handler(NotDone, on_not_done)


@api.exception_handler(AuthenticationError)
def _not_signed_in(request: HttpRequest, exc: AuthenticationError) -> HttpResponse:
    return refusal(SIGN_IN, status=401)


@api.exception_handler(ValidationError)
def _bad_parameters(request: HttpRequest, exc: ValidationError) -> HttpResponse:
    field = str(exc.errors[0]["loc"][-1]) if exc.errors else "query"
    return refusal(Refused(f"invalid:{field}", f"参数 {field} 的格式不对。"))


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, exc: HttpError) -> HttpResponse:
    if exc.status_code == 403:
        return refusal(Refused("csrf", "请求缺少有效的 X-CSRFToken，请刷新后再试。"), status=403)
    return refusal(Refused("invalid:body", "请求内容无法读取。"), status=exc.status_code)


@api.get("/queues", response={200: list[cases.QueueOut], **REFUSALS}, summary="工作列表及件数", tags=["工作人员"])
def queues(request: HttpRequest, role: str = "", unit: str = "") -> Any:
    return cases.queues(request, role, unit)


@api.get("/cases", response={200: cases.CasePage, **REFUSALS}, summary="一个工作列表的诉求", tags=["工作人员"])
def list_cases(
    request: HttpRequest, queue: str = "all", search: str = "", state: str = "", kind: str = "", channel: str = "",
    cursor: str = "", role: str = "", unit: str = "",
) -> Any:  # fmt: skip
    return cases.cases(request, queue, search, state, kind, channel, cursor, role, unit)


def _maybe_key(request: HttpRequest) -> Any:
    """Who submits: a key must be right; staff must be signed in; anybody else is a citizen."""
    if request.headers.get("Authorization"):
        return ApiKeyBearer()(request)
    if request.GET.get("role"):
        return StaffSession()(request)
    return "citizen"


@api.post(
    "/cases", auth=_maybe_key, response={200: cases.NumberOut, 201: cases.DoneOut, **REFUSALS}, summary="提交诉求",
    tags=["市民", "接入平台", "工作人员"], operation_id="case_submit",
    description="带密钥为接入平台；带 `role` 为工作人员；否则为市民，`channel` 只能是 portal。"
    "同一来源编号重复提交答 200 和原编号，不再给查询码。",
    openapi_extra=body_of(ACTIONS["case.submit"], citizen=False, described=api.described)
    | {"security": [{}, {"ApiKeyBearer": []}, {"StaffSession": []}]},
)  # fmt: skip
def submit(
    request: HttpRequest, role: str = "", unit: str = "", platform: str = "",
    idempotency_key: str = Header("", alias="Idempotency-Key"),
) -> Any:  # fmt: skip
    if request.headers.get("Authorization"):
        return citizens.submit(request, request.auth)  # type: ignore[attr-defined]
    if role:
        return citizens.submit_as_staff(request, role, unit)
    return citizens.submit_as_citizen(request, platform, idempotency_key)


FOLLOW = {
    "type": "object", "required": ["number", "query_code"],
    "properties": {"number": {"type": "string"}, "query_code": {"type": "string"}},
}  # fmt: skip


@api.post(
    "/cases/follow", auth=None, response={200: dict[str, Any], **REFUSALS}, summary="凭编号和查询码查询", tags=["市民"],
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": FOLLOW}}}},
)  # fmt: skip
def follow(request: HttpRequest, platform: str = "") -> Any:
    return citizens.follow(request, platform)


@api.get("/cases/{number}", response={200: dict[str, Any], **REFUSALS}, summary="诉求详情", tags=["工作人员"])
def one_case(request: HttpRequest, number: str, role: str = "", unit: str = "") -> Any:
    return cases.one_case(request, number, role, unit)


@api.get(
    "/cases/{number}/explain", response={200: list[cases.LimitOut], **REFUSALS}, summary="期限怎样计算",
    tags=["工作人员"],
)  # fmt: skip
def explain_case(request: HttpRequest, number: str, role: str = "", unit: str = "") -> Any:
    return cases.explain_case(request, number, role, unit)


@api.get(
    "/cases/{number}/offers", response={200: list[cases.OfferOut], **REFUSALS}, summary="现在可以办什么",
    tags=["工作人员"],
)  # fmt: skip
def offers_of_case(request: HttpRequest, number: str, role: str = "", unit: str = "") -> Any:
    return cases.offers_of_case(request, number, role, unit)


PLATFORM = {one.id: one for one in ACTIONS.values() if one.on == "platform" and one.id != "case.submit"}


@api.post(
    "/actions/{action_id}", response={200: cases.PlatformDoneOut, **REFUSALS}, summary="办理不属于某一件诉求的操作",
    tags=["工作人员"], operation_id="act_on_the_platform",
    description="操作及其请求正文：\n\n" + "\n".join(f"- `{one.id}`（{one.label}）：`{schema_name(one)}`"
    for one in PLATFORM.values()), openapi_extra=bodies_of(PLATFORM.values(), described=api.described),
)  # fmt: skip
def act_on_the_platform(request: HttpRequest, action_id: str, role: str = "", unit: str = "") -> Any:
    return cases.act_on_the_platform(request, PLATFORM.get(action_id), role, unit)


def _staff_route(action: Action) -> Callable[..., Any]:
    def take(request: HttpRequest, number: str, role: str = "", unit: str = "") -> Any:
        return cases.act(request, action, number, role, unit)

    return take


def _citizen_route(action: Action) -> Callable[..., Any]:
    def take(request: HttpRequest, platform: str = "") -> Any:
        return citizens.act_as_citizen(request, action, platform)

    return take


def _add_routes(action: Action) -> None:
    shared: dict[str, Any] = {
        "response": {200: cases.DoneOut, **REFUSALS}, "summary": action.label, "description": action.effect or None
    }  # fmt: skip
    if set(action.parties) - {"citizen", "system", "channel"}:
        api.post(
            f"/cases/{{number}}/{action.id}", operation_id=schema_name(action), tags=["工作人员"],
            url_name=f"act_{schema_name(action)}",
            openapi_extra=body_of(action, citizen=False, described=api.described), **shared,
        )(_staff_route(action))  # fmt: skip
    if "citizen" in action.parties:
        api.post(
            f"/citizen/{action.id}", auth=None, operation_id=f"{schema_name(action)}_by_citizen", tags=["市民"],
            url_name=f"citizen_{schema_name(action)}",
            openapi_extra=body_of(action, citizen=True, described=api.described), **shared,
        )(_citizen_route(action))  # fmt: skip


for _action in ACTIONS.values():
    if _action.on != "platform":
        _add_routes(_action)
