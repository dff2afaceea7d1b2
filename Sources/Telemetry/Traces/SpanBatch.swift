/// Encoded spans that are exported together.
struct SpanBatch {
  /// The most spans of one export.
  static let maximumSpans = 512

  private(set) var bytes: [UInt8] = []
  private(set) var count = 0

  /// Moves spans out of a ring, as many as there are and still fit.
  mutating func take(from ring: ByteRing) {
    let (first, second) = ring.read()
    var end = 0
    while count < Self.maximumSpans, let next = Self.endOfSpan(at: end, first, second) {
      end = next
      count += 1
    }
    bytes.append(contentsOf: first.prefix(end))
    if end > first.count { bytes.append(contentsOf: second.prefix(end - first.count)) }
    ring.consume(end)
  }

  /// Where the span that begins at `position` ends: its field number, its length as a varint, its bytes.
  private static func endOfSpan(
    at position: Int, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
  ) -> Int? {
    guard position < first.count + second.count else { return nil }
    var cursor = position + 1
    var length = 0
    var shift = 0
    while true {
      let byte = cursor < first.count ? first[cursor] : second[cursor - first.count]
      cursor += 1
      length |= Int(byte & 0x7F) << shift
      if byte < 0x80 { return cursor + length }
      shift += 7
    }
  }
}
