/// Exports and imports under way on one loop. Each holds a connection for transactions for as long as its client
/// takes, so that only a part of these connections is theirs.
final class Transfers {
  /// How long one may take in all, in nanoseconds.
  static let longestNanoseconds: UInt64 = 3_600_000_000_000
  /// How long each of its statements may take, in milliseconds.
  static let timeoutMilliseconds = 60_000

  private let limit: Int
  private var count = 0

  /// At most half of `connections`, and at least one.
  init(connections: Int) { limit = max(1, connections / 2) }

  /// A place that is taken until it is given back or forgotten; throws 503 when all are taken.
  func begin() throws -> Place {
    guard count < limit else { throw Problem(Limit.transfers) }
    count += 1
    return Place(self)
  }

  /// The right to transfer.
  final class Place {
    private var transfers: Transfers?

    fileprivate init(_ transfers: Transfers) { self.transfers = transfers }

    deinit { end() }

    /// Gives the place back; once is enough.
    func end() {
      transfers?.count -= 1
      transfers = nil
    }
  }
}
