/// How fast a client has lately moved the bytes of an export or import. Only the time that the server waits for the
/// client counts, not what the database takes.
struct TransferPace {
  /// The rate below which a client is slow, in bytes per second.
  static let bytesPerSecond = 64 * 1024

  /// The waiting time over which a rate is measured, in nanoseconds; no client is slow before.
  private let graceNanoseconds: UInt64
  private var bytes = 0
  private var waited: UInt64 = 0
  private var wasSlow = false

  init(graceNanoseconds: UInt64) { self.graceNanoseconds = graceNanoseconds }

  /// Notes that `count` bytes have moved after a wait of `nanoseconds`.
  mutating func moved(_ count: Int, waited nanoseconds: UInt64) {
    bytes += count
    waited += nanoseconds
    guard waited >= graceNanoseconds else { return }
    (wasSlow, bytes, waited) = (isShort, 0, 0)
  }

  /// Whether the client is slow, with `nanoseconds` of a wait that is not over yet.
  func isSlow(waiting nanoseconds: UInt64) -> Bool {
    waited + nanoseconds >= graceNanoseconds ? isShort : wasSlow
  }

  private var isShort: Bool { Double(bytes) < Double(graceNanoseconds) / 1e9 * Double(Self.bytesPerSecond) }
}
