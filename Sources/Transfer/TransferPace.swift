/// How fast a client has moved an export or import of late, by the time that it was waited for: what the database takes
/// is not the client's.
struct TransferPace {
  /// What every line moves that is not slow, in bytes per second.
  static let bytesPerSecond = 64 * 1024

  /// How much of a client's time is looked at together, in nanoseconds; before it nobody is slow.
  private let graceNanoseconds: UInt64
  private var bytes = 0
  private var waited: UInt64 = 0
  private var wasSlow = false

  init(graceNanoseconds: UInt64) { self.graceNanoseconds = graceNanoseconds }

  /// So many bytes have come or gone after a wait of so long.
  mutating func moved(_ count: Int, waited nanoseconds: UInt64) {
    bytes += count
    waited += nanoseconds
    guard waited >= graceNanoseconds else { return }
    (wasSlow, bytes, waited) = (isShort, 0, 0)
  }

  /// Whether the client is slow, that has been waited for again for so long.
  func isSlow(waiting nanoseconds: UInt64) -> Bool {
    waited + nanoseconds >= graceNanoseconds ? isShort : wasSlow
  }

  private var isShort: Bool { Double(bytes) < Double(graceNanoseconds) / 1e9 * Double(Self.bytesPerSecond) }
}
