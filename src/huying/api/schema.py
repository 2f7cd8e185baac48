"""The description of the API. Bodies come from the registry of actions: one schema for form, API and scenario."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.conf import settings
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from huying.cases.commands.registry import Action

REF = "#/components/schemas/{model}"
FILES = {
    "type": "array",
    "items": {"type": "string", "format": "binary"},
    "description": "附件，文件名与 attachments 一致",
}
VERSION = {"type": "integer", "minimum": 0, "description": "您看到的诉求版本；之后被别人办过则答 stale"}
TARGETS = {"application": "申请", "supervision": "督办", "clue": "线索", "report": "呈报"}


class DescribedAPI(NinjaAPI):
    """A NinjaAPI whose description also holds the schemas of the actions' inputs."""

    described: dict[str, Any]

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        schemas = schema["components"].setdefault("schemas", {})
        schemas.update(self.described)
        schema["components"]["schemas"] = dict(sorted(schemas.items()))
        for scheme in schema["components"].get("securitySchemes", {}).values():
            if scheme.get("in") == "cookie":
                # Production puts `__Host-` before the name; the description is the same everywhere.
                scheme["name"] = settings.SESSION_COOKIE_NAME.removeprefix("__Host-")
        return schema


def bodies_of(actions: Iterable[Action], *, described: dict[str, Any]) -> dict[str, Any]:
    """The request body of one route for several actions: the input of whichever the address names."""
    refs = []
    for action in actions:
        body = body_of(action, citizen=False, described=described)
        refs.append(body["requestBody"]["content"]["application/json"]["schema"])
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": {"anyOf": refs}}}}}


def schema_name(action: Action) -> str:
    return action.id.replace(".", "_")


@cache
def _input_schema(action: Action) -> tuple[dict[str, Any], dict[str, Any]]:
    schema = action.input.model_json_schema(ref_template=REF)
    return schema, schema.pop("$defs", {})


def body_of(action: Action, *, citizen: bool, described: dict[str, Any]) -> dict[str, Any]:
    """The request body of an action for staff, or for a citizen; its parts go to `described`."""
    schema, parts = _input_schema(action)
    described.update(parts)
    properties, required = dict(schema.get("properties", {})), list(schema.get("required", []))
    own: dict[str, Any] = {}
    if citizen:
        own = {"number": {"type": "string", "description": "诉求编号"},
               "query_code": {"type": "string", "description": "查询码"}}  # fmt: skip
        required = ["number", "query_code", *required]
    if action.on != "platform":
        own["version"] = VERSION
    if action.on in TARGETS and not citizen:
        own["target"] = {
            "type": "integer", "minimum": 0, "description": f"{TARGETS[action.on]}的 id；不写则指唯一可办的那一项"
        }  # fmt: skip
    clash = own.keys() & properties.keys()
    if clash:
        raise RuntimeError(f"{action.id}: input {clash} has the name of a field of every body")
    name = schema_name(action) + ("_by_citizen" if citizen else "")
    described[name] = {
        "title": action.label, "description": action.effect, "type": "object", "properties": {**own, **properties},
        "required": required, "additionalProperties": False,
    }  # fmt: skip
    content: dict[str, Any] = {"application/json": {"schema": {"$ref": REF.format(model=name)}}}
    if "attachments" in properties:
        form = {"type": "object", "properties": {"data": {"$ref": REF.format(model=name)}, "files": FILES}}
        content["multipart/form-data"] = {"schema": {**form, "required": ["data"]}}
    return {"requestBody": {"required": bool(required), "content": content}}
