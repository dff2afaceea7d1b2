import HTTP
import JSON
import Values

/// The answers that handlers give. Whether shared caches may keep them follows from the caller and the endpoint.
extension Call {
  /// 200 with a JSON body; a strong entity tag, and 304 if the client has these bytes.
  package func ok(_ body: [UInt8], revision: Timestamp? = nil) -> Response {
    conditional(body, EntityTag(of: body, revision: revision), isList: false)
  }

  /// 200 with a JSON object that `write` fills.
  package func ok(_ write: (inout JSONWriter) throws -> Void) rethrows -> Response {
    var json = JSONWriter()
    try json.object(write)
    return ok(json.take())
  }

  /// The answer from a body of the cache, as a list or as a single resource.
  func kept(_ tagged: TaggedBody, isList: Bool) -> Response {
    isList ? list(tagged) : conditional(tagged, isList: false)
  }

  /// 200 with a body whose tag is known, or 304; lists carry a weak tag, since their order is all that they promise.
  package func conditional(_ tagged: TaggedBody, isList: Bool) -> Response {
    conditional(tagged.body, tagged.etag, isList: isList)
  }

  private func conditional(_ body: [UInt8], _ tag: EntityTag, isList: Bool) -> Response {
    var headers = HeaderList()
    tag.withText(isWeak: isList) { headers.append("ETag", bytes: $0) }
    headers.append(lines: cacheControl)
    if isKept(tag) { return Response(.notModified, headers: headers) }
    headers.append(lines: "Content-Type: application/json\r\n")
    return Response(.ok, headers: headers, body: .bytes(body))
  }

  /// Whether the client has what this tag stands for, by its `If-None-Match`. Only GET and HEAD are answered with 304
  /// (RFC 9110, section 13.1.2).
  package func isKept(_ tag: EntityTag) -> Bool {
    guard let field = request.headerList("If-None-Match"), request.method == .get || request.method == .head else {
      return false
    }
    return tag.isNamed(ifNoneMatch: field)
  }

  /// 201 with the place of what was made and its JSON body.
  func created(_ location: String, _ body: [UInt8]) -> Response {
    let headers: HeaderList = [
      "Location": location, "Content-Type": "application/json", "ETag": EntityTag(of: body).strong,
      "Cache-Control": "private, no-cache",
    ]
    return Response(.created, headers: headers, body: .bytes(body))
  }

  /// 204.
  package func noContent() -> Response {
    var headers = HeaderList()
    headers.append(lines: cacheControl)
    return Response(.noContent, headers: headers)
  }

  /// An answer that holds a secret, such as a token or a key: no cache may keep a copy.
  package func secret(_ status: Status, location: String? = nil, _ body: [UInt8]) -> Response {
    var headers: HeaderList = ["Content-Type": "application/json", "Cache-Control": "no-store"]
    if let location { headers.append("Location", location) }
    return Response(status, headers: headers, body: .bytes(body))
  }

  /// Throws 412 unless the client's `If-Match` names the resource's present bytes, or its revision where it has one;
  /// also where its `If-None-Match` names them (RFC 9110, sections 13.1.1 and 13.1.2).
  package func requireMatch(_ current: @autoclosure () -> [UInt8], revision: Timestamp? = nil) throws {
    let (match, noneMatch) = (request.headerList("If-Match"), request.headerList("If-None-Match"))
    if match == nil, noneMatch == nil { return }
    let tag = EntityTag(of: current(), revision: revision)
    if let noneMatch, tag.isNamed(ifNoneMatch: noneMatch) {
      throw Problem(.preconditionFailed, "The resource matches `If-None-Match`.")
    }
    if let match, !tag.isNamed(ifMatch: match) {
      throw Problem(.preconditionFailed, "The resource has changed since you read it. Read it again.")
    }
  }

  /// The value of `Cache-Control`: `private` for an answer to a known caller.
  package var privacy: String { identity.isAnonymous ? "no-cache" : "private, no-cache" }

  private var cacheControl: StaticString {
    let everyone: StaticString = "Cache-Control: no-cache\r\n"
    let oneself: StaticString = "Cache-Control: private, no-cache\r\n"
    return switch identity {
    case .anonymous: endpoint?.endpoint.access.isPublic == false ? oneself : everyone
    case .user, .device: oneself
    }
  }
}
