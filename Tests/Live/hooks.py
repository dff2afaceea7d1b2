"""Teaches schemathesis to send lines of JSON, and to reject members of answers that the document does not name."""
import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def serialize(_context, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.hook
def before_load_schema(_context, raw_schema):
    """Closes the shapes that the document leaves open: clients should ignore unknown members, a test should not."""
    schemas = raw_schema["components"]["schemas"]
    for name in schemas.keys() - {"Problem"}:
        close(schemas[name])
    close(raw_schema["paths"])


def close(part):
    """Forbids objects in a part of the document to have members that it does not name."""
    if isinstance(part, list):
        for one in part:
            close(one)
    if isinstance(part, dict):
        for one in part.values():
            close(one)
        if part.get("type") in ("object", ["object", "null"]) and "properties" in part:
            part.setdefault("additionalProperties", False)
