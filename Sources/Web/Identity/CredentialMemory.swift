import Reactor
import Secrets

/// A loop's short-lived memory of what credentials of one kind open, in front of the stores that know it.
protocol CredentialMemory: AnyObject {
  associatedtype Key: Hashable
  /// What a key opens, and for whom.
  associatedtype Holder

  var loop: EventLoop { get }
  /// The holder of each key; nil for a key that opens nothing.
  var known: ShortMemory<Key, Holder?> { get set }
}

extension CredentialMemory {
  /// Returns what a key opens, from memory or else from `ask`; nil when it opens nothing.
  func remembered(_ key: Key, orAsk ask: () async throws -> Holder?) async throws -> Holder? {
    if let holder = known.value(of: key, at: loop.now) { return holder }
    let question = known.question(at: loop.now)
    let holder = try await ask()
    known.keep(holder, of: key, question)
    return holder
  }

  /// Forgets all that this loop knows.
  func forgetAll() { known.forgetAll() }
}

extension CredentialMemory where Key == [UInt8] {
  /// Whether a key has opened something on this loop, as far as it remembers, however long ago.
  func hasOpened(_ key: OpaqueKey) -> Bool { known.lastValue(of: key.digest).flatMap { $0 } != nil }
}
