import Values

/// The Date field of answers (RFC 9110, section 6.6.1), rendered once per second.
struct DateField {
  /// The length of `Date: Sat, 21 Nov 2026 09:30:00 GMT` with its line end.
  static let byteCount = 37

  private let line: UnsafeMutableRawPointer
  private var second: Int64 = .min

  init() { line = .allocate(byteCount: Self.byteCount, alignment: 1) }

  func deallocate() { line.deallocate() }

  /// Returns the field line for a moment, `byteCount` bytes; valid until the next call.
  @inline(__always)
  mutating func bytes(_ unixMilliseconds: Int64) -> UnsafeRawPointer {
    let now = unixMilliseconds / 1_000
    if now != second { render(now) }
    return UnsafeRawPointer(line)
  }

  @inline(never)
  private mutating func render(_ now: Int64) {
    second = now
    let text = Array("Date: \(Timestamp(unixMilliseconds: now * 1_000).internetMessageText) GMT\r\n".utf8)
    line.copyMemory(from: text, byteCount: Self.byteCount)
  }
}
