import JSON
import Redis

/// Events as a client reads them (the HTML standard, section 9.2.6), and the id of the last of them.
struct EventText {
  let text: [UInt8]
  let last: EventID

  init(text: [UInt8], last: EventID) {
    self.text = text
    self.last = last
  }

  /// A gap, without an id.
  static let gap = Array("event: gap\ndata: {}\n\n".utf8)

  /// Says that no events come for now, without an id.
  static let stalled = Array("event: stalled\ndata: {}\n\n".utf8)

  /// Whether an entry that XRANGE gave is a gap.
  static func isGap(_ entry: RedisReply) -> Bool { entry.array?.last?.array?.dropFirst().first?.text == "gap" }

  /// Reads a message of a garden's channel: the last id, a line feed, the text.
  init?(message: [UInt8]) {
    guard let end = message.firstIndex(of: UInt8(ascii: "\n")),
      let last = EventID(String(decoding: message[..<end], as: UTF8.self))
    else { return nil }
    self.init(text: Array(message[(end + 1)...]), last: last)
  }

  /// The texts of entries that XRANGE gave, in pieces of at most `bytes`, unless a single event is longer.
  static func pieces(of entries: some Sequence<RedisReply>, bytes: Int) -> [EventText] {
    var pieces: [EventText] = []
    for entry in entries {
      guard let event = EventText(entry: entry) else { continue }
      if let piece = pieces.last, piece.text.count + event.text.count <= bytes {
        pieces[pieces.count - 1] = EventText(text: piece.text + event.text, last: event.last)
      } else {
        pieces.append(event)
      }
    }
    return pieces
  }

  /// The text of an entry of a stream: its id, and the name and data of the event.
  private init?(entry: RedisReply) {
    guard let parts = entry.array, parts.count == 2, let name = parts[0].text, let id = EventID(name),
      let fields = parts[1].array, fields.count == 4, let event = fields[1].bytes, let data = fields[3].bytes
    else { return nil }
    text = Array("id: \(name)\nevent: ".utf8) + event + Array("\ndata: ".utf8) + data + Array("\n\n".utf8)
    last = id
  }

  // MARK: Strangers

  private static let insight = Array("event: insight".utf8)
  private static let data = Array("data: ".utf8)

  /// The events as they are told to a client without a role in a public garden: of an insight that it was made, not
  /// what it says. The ids stay, so that strangers resume as others do.
  var forStrangers: EventText {
    var (kept, isInsight, hasInsight): ([UInt8], Bool, Bool) = ([], false, false)
    kept.reserveCapacity(text.count)
    for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if isInsight, line.starts(with: Self.data) {
        kept += Self.data + Self.mark(of: Array(line.dropFirst(Self.data.count)))
      } else {
        kept += line
      }
      isInsight = line.elementsEqual(Self.insight) || isInsight && !line.isEmpty
      hasInsight = hasInsight || isInsight
      kept.append(UInt8(ascii: "\n"))
    }
    // Behind the last line feed there is none.
    return hasInsight ? EventText(text: kept.dropLast(), last: last) : self
  }

  /// The id and the time of an insight; neither where it cannot be read.
  private static func mark(of insight: [UInt8]) -> [UInt8] {
    let insight = try? JSONReader.parse(insight)
    var json = JSONWriter()
    json.object { json in
      json.member("id", ifPresent: insight?.member("id")?.stringText)
      json.member("createdAt", ifPresent: insight?.member("createdAt")?.stringText)
    }
    return json.take()
  }
}
