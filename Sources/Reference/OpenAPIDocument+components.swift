extension OpenAPIDocument {
  static let securitySchemes: StaticString = """
    {"accessToken":{"type":"http","scheme":"bearer","bearerFormat":"JWT",\
    "description":"The access token of a session, from POST /api/sessions; good for as long as `expiresIn` says \
    there."},\
    "personalToken":{"type":"http","scheme":"bearer",\
    "description":"A personal access token, from POST /api/tokens, with the scope that stands here as a role."},\
    "deviceKey":{"type":"http","scheme":"bearer",\
    "description":"A device's key, shown once when the device is made or its key is renewed."}}
    """

  static let headers: StaticString = """
    {"XRequestId":{"description":"The request's id, in the log and in problems too: the client's own, or a new one.",\
    "schema":{"type":"string","pattern":"^[A-Za-z0-9._-]{1,64}$"}},\
    "RateLimit":{"description":"How many requests are left, and in how many seconds there are more, where there is a limit.",\
    "schema":{"type":"string"}},\
    "RateLimitPolicy":{"description":"How many requests there may be in how many seconds, where there is a limit.",\
    "schema":{"type":"string"}},\
    "ContentDisposition":{"description":"The name of a file to keep it in.","schema":{"type":"string"}},\
    "ETag":{"description":"The validator of exactly this answer.","schema":{"type":"string"}},\
    "Location":{"description":"Where it is to be found.","schema":{"type":"string"}},\
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
    "required":["detail"],"properties":{"pointer":{"type":"string","description":"Where, as a JSON pointer (RFC 6901)."},\
    "detail":{"type":"string"},\
    "line":{"type":"integer","format":"int64","minimum":1,"description":"On which line, of a file that was to be taken in."}}}},\
    "errorCount":{"type":"integer","format":"int64","minimum":1,\
    "description":"How many faults a file has that was to be taken in; `errors` has the first of them."},\
    "total":{"description":"What an order costs by now that was to cost something else.",\
    "$ref":"#/components/schemas/Money"},\
    "rejected":{"type":"array","description":"Why none of the readings could be taken, one by one.",\
    "items":{"$ref":"#/components/schemas/RejectedReading"}}}}
    """
}
