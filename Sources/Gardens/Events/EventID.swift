import Values

/// The id of an event, as Redis gives it in a stream: milliseconds and a number within them.
struct EventID: Comparable, CustomStringConvertible {
  let milliseconds: UInt64
  let number: UInt64

  static let zero = EventID(milliseconds: 0, number: 0)
  /// How far the clock of Redis may be from ours, in milliseconds.
  static let clockMilliseconds: UInt64 = 3_600_000

  init(milliseconds: UInt64, number: UInt64) {
    self.milliseconds = milliseconds
    self.number = number
  }

  /// An id before any that a stream gives from then on, if it is empty at `unixMilliseconds`.
  init(before unixMilliseconds: Int64) {
    let now = UInt64(max(unixMilliseconds, 0))
    self.init(milliseconds: now - min(now, Self.clockMilliseconds), number: 0)
  }

  /// Reads `1732181400000-0`; nil for anything else.
  init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let milliseconds = UInt64(digits: parts[0]), let number = UInt64(digits: parts[1])
    else { return nil }
    self.init(milliseconds: milliseconds, number: number)
  }

  static func < (left: EventID, right: EventID) -> Bool {
    (left.milliseconds, left.number) < (right.milliseconds, right.number)
  }

  var description: String { "\(milliseconds)-\(number)" }
}
