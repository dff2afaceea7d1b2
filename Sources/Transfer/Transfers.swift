import Web

/// Exports and imports under way on one loop. Each holds a connection for transactions for as long as its client
/// takes, so that only a part of these connections is theirs, and one user has one transfer at a time.
package final class Transfers {
  /// How long one may take in all, in nanoseconds.
  static let longestNanoseconds: UInt64 = 3_600_000_000_000
  /// How long each of its statements may take, in milliseconds.
  static let timeoutMilliseconds = 60_000
  /// The most that one user has under way at a time, in the whole process.
  package static let maximumOfUser = 1

  private let limit: Int
  private let shares: ClientShares
  private var count = 0

  /// At most half of `connections`, and at least one.
  init(connections: Int, shares: ClientShares) {
    limit = max(1, connections / 2)
    self.shares = shares
  }

  /// A place that is taken until it is given back or forgotten; throws 503 when all are taken, and 429 when the client
  /// has one already.
  func begin(_ client: String) throws -> Place {
    guard count < limit else { throw Problem(Limit.transfers) }
    guard let share = shares.take(client) else {
      throw Self.underWay("Another export or import of yours is under way. Let it end first.")
    }
    count += 1
    return Place(self, share)
  }

  /// 429, for what may go on once something else has ended.
  static func underWay(_ detail: String) -> Problem {
    Problem(.tooManyRequests, detail, retryAfterSeconds: 10)
  }

  /// The right to transfer.
  final class Place {
    private var transfers: Transfers?
    private var share: ClientShares.Share?

    fileprivate init(_ transfers: Transfers, _ share: ClientShares.Share) {
      self.transfers = transfers
      self.share = share
    }

    deinit { end() }

    /// Gives the place back; once is enough.
    func end() {
      transfers?.count -= 1
      (transfers, share) = (nil, nil)
    }
  }
}
