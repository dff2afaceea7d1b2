import Reactor
import Values
import Web

/// Looks up the addresses of channels' hosts: a bounded number at a time in the process, and for each user.
///
/// Each look-up takes a thread for as long as the system's resolver waits. Where a name server is silent that is much
/// longer than any request waits.
package final class TargetLookups: Sendable {
  /// How long a request waits for a look-up, in nanoseconds.
  static let patienceNanoseconds: UInt64 = 2_000_000_000
  /// The most look-ups in flight in the process, and of one user.
  static let maximum = 16
  static let maximumOfUser = 2

  private let shares = ClientShares(maximum: maximumOfUser, ofAll: maximum)
  private let lookUp: @Sendable ([String], EventLoop, @escaping (RememberedNames.Answer) -> Void) -> Void

  /// `lookUp` calls back on the loop, at once or later.
  package init(
    lookUp: @escaping @Sendable ([String], EventLoop, @escaping (RememberedNames.Answer) -> Void) -> Void =
      NameResolver.resolve
  ) {
    self.lookUp = lookUp
  }

  /// Returns the addresses of a host; empty when it has none, or cannot be looked up now.
  func addresses(of host: String, for user: Identifier, on loop: EventLoop) async throws -> [String] {
    if let address = NameResolver.address(ofNumeric: host) { return [address] }
    guard let share = shares.take(user.description) else { return [] }
    let found = Pending<[String]>()
    let timer = loop.schedule(afterNanoseconds: Self.patienceNanoseconds) { found.complete(.success([])) }
    lookUp([host], loop) { results in
      // The share is held until the thread is done, not only while the request waits.
      withExtendedLifetime(share) {
        found.complete(.success(results.first.flatMap { try? $0.get() } ?? []))
      }
    }
    defer { loop.cancel(timer) }
    return try await found.value()
  }
}
