"""A page of the API's description, made on the server: no script, nothing from elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from huying.api.routes import api


def docs(request: HttpRequest) -> HttpResponse:
    """Every route with its fields."""
    schema = api.get_openapi_schema()
    schemas = schema["components"]["schemas"]
    routes = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            body = content.get("schema", {})
            body = schemas.get(body.get("$ref", "").rpartition("/")[2], body)
            required = set(body.get("required", ()))
            fields = [
                {
                    "name": name,
                    "title": field.get("title") or field.get("description", ""),
                    "required": name in required,
                }
                for name, field in body.get("properties", {}).items()
            ]
            routes.append({"method": method.upper(), "path": path, "operation": operation, "fields": fields})
    return render(request, "api/docs.html", {"routes": routes, "info": schema["info"]})
