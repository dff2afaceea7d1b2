import Reactor
import Web

/// Exports and imports under way on one loop. Each holds a connection for transactions for as long as its client
/// takes, so that only a part of these connections is theirs, and one user has one transfer at a time.
///
/// However slow one is, it goes on while there are places; when none is left for somebody else, it gives up its own and
/// is rolled back. Its transaction is idle while the client is waited for: Postgres itself ends one that is so for
/// longer than `DatabaseConfiguration.idleTransactionTimeoutMilliseconds`.
package final class Transfers {
  /// How long one may take in all, in nanoseconds.
  static let longestNanoseconds: UInt64 = 3_600_000_000_000
  /// How long each of its statements may take, in milliseconds.
  static let timeoutMilliseconds = 60_000
  /// The most that one user has under way at a time, in the whole process.
  package static let maximumOfUser = 1

  // Invariant 1.
  private unowned(unsafe) let loop: EventLoop
  private let limit: Int
  private let graceNanoseconds: UInt64
  private let shares: ClientShares
  /// The oldest first.
  private var underWay: [Transfer] = []

  /// At most half of `connections`, and at least one. Who is slow for `graceSeconds` gives way to others.
  init(loop: EventLoop, connections: Int, graceSeconds: Int, shares: ClientShares) {
    self.loop = loop
    limit = max(1, connections / 2)
    graceNanoseconds = UInt64(graceSeconds) * 1_000_000_000
    self.shares = shares
  }

  /// A place that is taken until it is given back or forgotten; throws 503 when all are taken, and by none that is
  /// slow, and 429 when the client has one already.
  func begin(_ client: String) throws -> Place {
    let share = shares.take(client)
    if share != nil, underWay.count >= limit { makeRoom() }
    guard underWay.count < limit else { throw Problem(.transfers) }
    guard let share else {
      throw Self.underWay("Another export or import of yours is under way. Let it end first.")
    }
    let transfer = Transfer(loop: loop, graceNanoseconds: graceNanoseconds)
    underWay.append(transfer)
    return Place(transfer, of: self, share)
  }

  /// Ends the one that began first of those that are slow.
  private func makeRoom() {
    guard let slow = underWay.first(where: \.isSlow) else { return }
    end(slow)
    slow.giveWay()
  }

  private func end(_ transfer: Transfer) { underWay.removeAll { $0 === transfer } }

  /// 429, for what may go on once something else has ended.
  static func underWay(_ detail: String) -> Problem {
    Problem(.tooManyRequests, detail, retryAfterSeconds: 10)
  }

  /// The right to transfer.
  final class Place {
    let transfer: Transfer
    private var transfers: Transfers?
    private var share: ClientShares.Share?

    fileprivate init(_ transfer: Transfer, of transfers: Transfers, _ share: ClientShares.Share) {
      self.transfer = transfer
      self.transfers = transfers
      self.share = share
    }

    deinit { end() }

    /// Gives the place back; once is enough.
    func end() {
      transfers?.end(transfer)
      (transfers, share) = (nil, nil)
    }
  }
}
