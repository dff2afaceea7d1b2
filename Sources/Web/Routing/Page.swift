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
    .query("limit", .integer(minimum: 1, maximum: maximumLimit), "The most items of a page; 20 unless given."),
    .query("cursor", .string(minLength: 1), "`nextCursor` of the page before."),
  ]
}

extension Call {
  /// Reads `limit` and `cursor`. `list` is everything that decides what the list holds, so that no cursor is used for
  /// another one.
  package func page(
    _ query: Query, list: String, defaultLimit: Int64 = PageRequest.defaultLimit,
    maximumLimit: Int64 = PageRequest.maximumLimit
  ) throws -> PageRequest {
    let limit = try query.integer("limit", 1...maximumLimit) ?? defaultLimit
    guard let text = try query.value("cursor") else { return PageRequest(limit: limit, after: nil) }
    guard let payload = try? context.cursors.open(text, list: list) else {
      throw Problem(.invalidCursor, "The cursor is not one of this list.")
    }
    return PageRequest(limit: limit, after: payload)
  }

  /// The body of a page: `items` and `nextCursor`. `next` is nil on the last page.
  package func pageBody(_ items: (inout JSONWriter) throws -> Void, next: String?) rethrows -> [UInt8] {
    var json = JSONWriter()
    try json.object { json in
      json.key("items")
      try json.array(items)
      json.key("nextCursor")
      if let next { json.string(next) } else { json.null() }
    }
    return json.take()
  }

  /// The answer to a request for a list: weak entity tag, and `Link` to the next page (RFC 8288).
  package func list(_ entry: CacheEntry) -> Response {
    var response = conditional(entry, isList: true)
    if let cursor = Self.nextCursor(in: entry.body) {
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

extension Query {
  /// A whole number within bounds; throws 400 for anything else.
  func integer(_ name: String, _ range: ClosedRange<Int64>) throws -> Int64? {
    guard let text = try value(name) else { return nil }
    guard !text.isEmpty, text.utf8.count <= 19, text.utf8.allSatisfy({ (48...57).contains($0) }),
      let number = Int64(text), range.contains(number)
    else {
      throw Problem(.malformed, "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// A date-time; throws 400 for anything else.
  package func timestamp(_ name: String) throws -> Timestamp? {
    guard let text = try value(name) else { return nil }
    guard let timestamp = Timestamp(text) else {
      throw Problem(.malformed, "\(name) must be an RFC 3339 date-time such as 2026-11-21T09:30:00Z.")
    }
    return timestamp
  }

  /// One of some words; throws 400 for anything else.
  package func word<Word: RawRepresentable & CaseIterable>(_ name: String, _ type: Word.Type) throws -> Word?
  where Word.RawValue == String {
    guard let text = try value(name) else { return nil }
    guard let word = Word(rawValue: text) else {
      let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(.malformed, "\(name) must be one of: \(words).")
    }
    return word
  }
}

extension Schema {
  /// A page of a list: the items and the cursor of the next page.
  package static func page(of name: String, _ item: Schema) -> Schema {
    .named(
      name,
      .object([
        .required("items", .array(item)),
        .required("nextCursor", .nullable(.string()), "What `cursor` takes for the next page; null on the last."),
      ]))
  }
}
