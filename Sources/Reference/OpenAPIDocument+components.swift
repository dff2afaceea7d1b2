extension OpenAPIDocument {
  static let securitySchemes: StaticString = """
    {"accessToken":{"type":"http","scheme":"bearer","bearerFormat":"JWT",\
    "description":"The access token of a session, from POST /api/sessions; valid for `expiresIn` seconds."},\
    "personalToken":{"type":"http","scheme":"bearer",\
    "description":"A personal access token, from POST /api/tokens, with the scope that is named here as a role."},\
    "deviceKey":{"type":"http","scheme":"bearer",\
    "description":"A device's key, shown once when the device is made or its key is renewed."}}
    """

  static let headers: StaticString = """
    {"XRequestId":{"description":"The request's id, also in the log and in problems: the client's own, or a new one.",\
    "schema":{"type":"string","pattern":"^[A-Za-z0-9._-]{1,64}$"}},\
    "RateLimit":{"description":"If there is a limit: how many requests are left, and after how many seconds there are more.",\
    "schema":{"type":"string"}},\
    "RateLimitPolicy":{"description":"If there is a limit: how many requests it allows in how many seconds.",\
    "schema":{"type":"string"}},\
    "ContentDisposition":{"description":"The name of a file for the answer.","schema":{"type":"string"}},\
    "ETag":{"description":"The validator of exactly this answer.","schema":{"type":"string"}},\
    "Location":{"description":"The path of what was made.","schema":{"type":"string"}},\
    "Link":{"description":"The next page of a list, if there is one, as rel=next.","schema":{"type":"string"}},\
    "RetryAfter":{"description":"Seconds after which to try again.","schema":{"type":"integer","format":"int64","minimum":0}},\
    "Set-Cookie":{"description":"The session's key, for a browser to keep.","schema":{"type":"string"}},\
    "WWWAuthenticate":{"description":"How to authenticate.","schema":{"type":"string"}}}
    """

  /// The shape of a problem, open to further members (RFC 9457, section 3.2).
  static let problem: StaticString = """
    {"type":"object","required":["type","title","status","detail","instance","requestId"],"properties":{\
    "type":{"type":"string","pattern":"^urn:terroir:problem:[a-z-]+$","description":"What kind of problem it is; stable."},\
    "title":{"type":"string"},\
    "status":{"type":"integer","minimum":400,"maximum":599},\
    "detail":{"type":"string","description":"What is wrong with this request."},\
    "instance":{"type":"string","description":"The path of the request."},\
    "requestId":{"type":"string"},\
    "errors":{"type":"array","description":"Every fault of a body that failed validation.","items":{"type":"object",\
    "required":["detail"],"properties":{"pointer":{"type":"string","description":"Where the fault is, as a JSON Pointer (RFC 6901)."},\
    "detail":{"type":"string"},\
    "line":{"type":"integer","format":"int64","minimum":1,"description":"The line of an imported file."}}}},\
    "errorCount":{"type":"integer","format":"int64","minimum":1,\
    "description":"How many faults an imported file has; `errors` has the first of them."},\
    "total":{"description":"What the order costs now, instead of the expected total.",\
    "$ref":"#/components/schemas/Money"},\
    "rejected":{"type":"array","description":"Why each reading was rejected, when none was stored.",\
    "items":{"$ref":"#/components/schemas/RejectedReading"}}}}
    """
}
