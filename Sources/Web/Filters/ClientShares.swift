import Synchronization

/// How many of something each client holds at a time in the whole process, so that none takes what is there for all.
package final class ClientShares: Sendable {
  /// The most that one client may hold.
  package let maximum: Int
  private let held = Mutex<[String: Int]>([:])

  package init(maximum: Int) { self.maximum = maximum }

  /// A share for a client; nil when it holds as many as it may.
  package func take(_ client: String) -> Share? {
    let isTaken = held.withLock { held in
      guard held[client, default: 0] < maximum else { return false }
      held[client, default: 0] += 1
      return true
    }
    return isTaken ? Share(client, of: self) : nil
  }

  private func giveBack(_ client: String) {
    held.withLock { held in
      let left = held[client, default: 1] - 1
      held[client] = left == 0 ? nil : left
    }
  }

  /// What a client holds, until nobody refers to it.
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
