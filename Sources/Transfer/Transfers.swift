import Reactor
import Web

/// The exports and imports in flight on one loop. Each holds a transaction's connection for as long as its client
/// takes, so that only half of these connections are for them, and a user has one transfer at a time.
///
/// A slow transfer goes on while places are free; when another client finds none, it gives up its own and is rolled
/// back. Its transaction is idle while its client is waited for, and Postgres ends one that is idle for longer than
/// `DatabaseConfiguration.idleTransactionTimeoutMilliseconds`.
package final class Transfers {
  /// How long a transfer may take in all, in nanoseconds.
  static let longestNanoseconds: UInt64 = 3_600_000_000_000
  /// How long each statement of a transfer may take, in milliseconds.
  static let timeoutMilliseconds = 60_000
  /// The most transfers of one user at a time, in the whole process.
  package static let maximumOfUser = 1

  // Invariant 1: the loop outlives what runs on it.
  private unowned(unsafe) let loop: EventLoop
  private let limit: Int
  private let graceNanoseconds: UInt64
  private let shares: ClientShares
  /// The transfers in flight, oldest first.
  private var underWay: [Transfer] = []

  /// Allows transfers half of `connections`, and at least one. A client that is slow for `graceSeconds` gives way to
  /// others.
  init(loop: EventLoop, connections: Int, graceSeconds: Int, shares: ClientShares) {
    self.loop = loop
    limit = max(1, connections / 2)
    graceNanoseconds = UInt64(graceSeconds) * 1_000_000_000
    self.shares = shares
  }

  /// Takes a place, which ends with `Place.end()` or its last reference. Throws 503 when all are taken and no transfer
  /// is slow, and 429 when the client has one already.
  func begin(_ client: String) throws -> Place {
    let share = shares.take(client)
    if share != nil, underWay.count >= limit { makeRoom() }
    guard underWay.count < limit else { throw Problem(.transfers) }
    guard let share else {
      throw Self.underWay("Another export or import of yours is under way. Wait until it ends.")
    }
    let transfer = Transfer(loop: loop, graceNanoseconds: graceNanoseconds)
    underWay.append(transfer)
    return Place(transfer, of: self, share)
  }

  /// Ends the oldest of the slow transfers, if there is any.
  private func makeRoom() {
    guard let slow = underWay.first(where: \.isSlow) else { return }
    end(slow)
    slow.giveWay()
  }

  private func end(_ transfer: Transfer) { underWay.removeAll { $0 === transfer } }

  /// 429 for a request that may go on once something else has ended.
  static func underWay(_ detail: String) -> Problem {
    Problem(.tooManyRequests, detail, retryAfterSeconds: 10)
  }

  /// A transfer's place among those in flight.
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

    /// Gives the place back; further calls do nothing.
    func end() {
      transfers?.end(transfer)
      (transfers, share) = (nil, nil)
    }
  }
}
