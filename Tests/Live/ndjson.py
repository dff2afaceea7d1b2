"""Teaches schemathesis to send lines of JSON."""
import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def serialize(_context, value):
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()
