"""Teaches schemathesis to send lines of JSON, and to let no answer have a member that the document does not name."""
import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def serialize(_context, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.hook
def before_load_schema(_context, raw_schema):
    """Closes the shapes that the document leaves open: clients are to skip what they do not know, a test is not."""
    schemas = raw_schema["components"]["schemas"]
    for name in schemas.keys() - {"Problem"}:
        close(schemas[name])
    close(raw_schema["paths"])


def close(part):
    """Lets no object in a part of the document have other members than it names."""
    if isinstance(part, list):
        for one in part:
            close(one)
    if isinstance(part, dict):
        for one in part.values():
            close(one)
        if part.get("type") in ("object", ["object", "null"]) and "properties" in part:
            part.setdefault("additionalProperties", False)
