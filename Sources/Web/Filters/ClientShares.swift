import Synchronization

/// Bounds how many of something each client, and all clients together, hold at a time in the whole process, so that no
/// client takes all there is.
package final class ClientShares: Sendable {
  /// The most that one client may hold.
  package let maximum: Int
  /// The most that all clients may hold.
  private let maximumOfAll: Int
  private let held = Mutex<(byClient: [String: Int], inAll: Int)>(([:], 0))

  package init(maximum: Int, ofAll maximumOfAll: Int = .max) {
    self.maximum = maximum
    self.maximumOfAll = maximumOfAll
  }

  /// Takes a share for a client; nil when the client, or all of them together, hold the most they may.
  package func take(_ client: String) -> Share? {
    let isTaken = held.withLock { held in
      guard held.inAll < maximumOfAll, held.byClient[client, default: 0] < maximum else { return false }
      held.byClient[client, default: 0] += 1
      held.inAll += 1
      return true
    }
    return isTaken ? Share(client, of: self) : nil
  }

  private func giveBack(_ client: String) {
    held.withLock { held in
      let left = held.byClient[client, default: 1] - 1
      held.byClient[client] = left == 0 ? nil : left
      held.inAll -= 1
    }
  }

  /// A share of a client, given back with the last reference to it.
  package final class Share {
    private let client: String
    private let shares: ClientShares

    fileprivate init(_ client: String, of shares: ClientShares) {
      self.client = client
      self.shares = shares
    }

    deinit { shares.giveBack(client) }
  }
}
