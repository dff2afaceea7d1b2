import HTTP
import JSON
import Secrets
import Values

/// What a request for a list asks for: how many items, and where to go on (keyset pagination).
package struct PageRequest {
  static let defaultLimit: Int64 = 20
  static let maximumLimit: Int64 = 100

  package let limit: Int64
  /// The keys of the last item of the page before; nil for the first page.
  package let after: CursorPayload?

  /// The parameters that every list takes, for the route table.
  package static let parameters: [Endpoint.Parameter] = [
    .query(
      "limit", .integer(minimum: 1, maximum: maximumLimit), "The most items on a page; \(defaultLimit) by default."),
    .query("cursor", .string(minLength: 1), "`nextCursor` of the previous page."),
  ]
}

extension Call {
  /// Reads `limit` and `cursor`. `list` is everything that decides what the list holds, so that a cursor is good for no
  /// other list. Throws what is answered with 400: a limit out of its bounds, and a cursor that is not of this list.
  package func page(
    _ query: Query, list: String, defaultLimit: Int64 = PageRequest.defaultLimit,
    maximumLimit: Int64 = PageRequest.maximumLimit
  ) throws -> PageRequest {
    let limit = try query.integer("limit", 1...maximumLimit) ?? defaultLimit
    guard let text = try query.value("cursor") else { return PageRequest(limit: limit, after: nil) }
    return PageRequest(limit: limit, after: try context.cursors.open(text, list: list))
  }

  /// The body of a page: `items` and `nextCursor`. `next` is nil on the last page.
  package func pageBody(_ items: (inout JSONWriter) throws -> Void, next: String?) rethrows -> [UInt8] {
    var json = JSONWriter()
    try json.object { json in
      json.key("items")
      try json.array(items)
      json.member("nextCursor", next)
    }
    return json.take()
  }

  /// The answer to a request for a list: weak entity tag, and `Link` to the next page (RFC 8288).
  package func list(_ body: [UInt8]) -> Response { list(TaggedBody(body)) }

  /// The answer to a request for a list, from a body whose tag is known.
  func list(_ tagged: TaggedBody) -> Response {
    var response = conditional(tagged, isList: true)
    if let cursor = Self.nextCursor(in: tagged.body) {
      response.headers.append("Link", "<\(nextTarget(cursor))>; rel=\"next\"")
    }
    return response
  }

  /// The target of this request with another cursor.
  package func nextTarget(_ cursor: String) -> String {
    let target = request.target
    let path = target.prefix { $0 != "?" }
    let kept = target.dropFirst(path.count + 1).split(separator: "&").filter { !$0.hasPrefix("cursor=") }
    return "\(path)?" + (kept.map(String.init) + ["cursor=\(cursor)"]).joined(separator: "&")
  }

  /// The cursor at the end of a page's body, where `pageBody` has written it.
  private static func nextCursor(in body: [UInt8]) -> String? {
    let mark = Array("\"nextCursor\":\"".utf8)
    let tail = body.suffix(CursorSeal.maximumLength + mark.count + 2)
    guard body.suffix(2).elementsEqual([UInt8(ascii: "\""), UInt8(ascii: "}")]),
      let start = tail.dropLast(2).lastIndex(of: UInt8(ascii: "\"")), start + 1 >= mark.count,
      body[(start + 1 - mark.count)...start].elementsEqual(mark)
    else { return nil }
    return String(decoding: body[(start + 1)..<(body.count - 2)], as: UTF8.self)
  }
}

extension Schema {
  /// A page of a list: the items and the cursor of the next page.
  package static func page(of name: String, _ item: Schema) -> Schema {
    .named(
      name,
      .object([
        .required("items", .array(item)),
        .required("nextCursor", .nullable(.string()), "The `cursor` of the next page; null on the last."),
      ]))
  }
}
