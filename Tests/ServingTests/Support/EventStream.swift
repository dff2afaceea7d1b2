import JSON

/// A client of server-sent events, as strict as a browser is about their form.
final class EventStream {
  /// One event, or a comment, which has no name.
  struct Event: Equatable {
    var id = ""
    var name = ""
    var data = ""
  }

  let status: Int
  /// The head of the answer.
  let head: String
  private let wire: Wire
  private var text: [UInt8] = []
  /// Whether the answer has ended with its last chunk.
  private(set) var isWhole = false

  convenience init(
    _ server: LiveServer, _ garden: String, token: String? = nil, after id: String? = nil, from address: String? = nil,
    query: String = "", receiveBytes: Int32? = nil
  ) throws {
    let wire = try Wire(port: server.port, receiveBytes: receiveBytes)
    try self.init(on: wire, garden, token: token, after: id, from: address, query: query)
  }

  init(
    on wire: Wire, _ garden: String, token: String? = nil, after id: String? = nil, from address: String? = nil,
    query: String = ""
  ) throws {
    self.wire = wire
    var request = "GET /api/gardens/\(garden)/events\(query) HTTP/1.1\r\nHost: test\r\nAccept: text/event-stream\r\n"
    if let token { request += "Authorization: Bearer \(token)\r\n" }
    if let address { request += "X-Forwarded-For: \(address)\r\n" }
    if let id { request += "Last-Event-ID: \(id)\r\n" }
    try wire.send(request + "\r\n")
    head = String(decoding: try wire.take(until: Array("\r\n\r\n".utf8)), as: UTF8.self).lowercased()
    status = Int(head.dropFirst(9).prefix(3)) ?? 0
  }

  /// The next event or comment; nil at the end of the answer.
  func nextPart() throws -> Event? {
    while true {
      if let end = text.firstRange(of: Array("\n\n".utf8)) {
        let lines = String(decoding: text[..<end.lowerBound], as: UTF8.self).split(separator: "\n")
        text.removeSubrange(..<end.upperBound)
        if lines == ["retry: 2000"] { continue }
        return Self.event(lines)
      }
      guard !isWhole, let chunk = try wire.takeChunk() else {
        isWhole = true
        return nil
      }
      text += chunk
    }
  }

  /// The next event, without comments; nil at the end.
  func next() throws -> Event? {
    while let part = try nextPart() { if !part.name.isEmpty { return part } }
    return nil
  }

  /// The next `count` events; fewer if the answer ends.
  func take(_ count: Int) throws -> [Event] { try (0..<count).compactMap { _ in try next() } }

  private static func event(_ lines: [Substring]) -> Event {
    var event = Event()
    for line in lines {
      let (field, value) = (line.prefix { $0 != ":" }, line.drop { $0 != ":" }.dropFirst(2))
      switch field {
      case "id": event.id = String(value)
      case "event": event.name = String(value)
      case "data": event.data += String(value)
      default: break
      }
    }
    return event
  }
}
