import Reactor
import Values
import Web

/// Looks up where the hosts of channels are: a bounded number at a time in the process, and for each user.
///
/// Each has a thread for as long as the system's resolver waits, which is much longer than anyone does where a name
/// server is silent.
package final class TargetLookups: Sendable {
  /// How long is waited for one, in nanoseconds.
  static let patienceNanoseconds: UInt64 = 2_000_000_000
  /// The most that are under way in the process, and for one user.
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

  /// The addresses of a host; none of a name that has none, or that cannot be looked up now.
  func addresses(of host: String, for user: Identifier, on loop: EventLoop) async throws -> [String] {
    if let address = NameResolver.address(ofNumeric: host) { return [address] }
    guard let share = shares.take(user.description) else { return [] }
    let found = Pending<[String]>()
    let timer = loop.schedule(afterNanoseconds: Self.patienceNanoseconds) { found.complete(.success([])) }
    lookUp([host], loop) { results in
      // It is the thread's, not of who waits.
      withExtendedLifetime(share) {
        found.complete(.success(results.first.flatMap { try? $0.get() } ?? []))
      }
    }
    defer { loop.cancel(timer) }
    return try await found.value()
  }
}
