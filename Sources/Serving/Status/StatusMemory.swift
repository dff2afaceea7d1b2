import Reactor
import Web

/// The answer with the service's history, remembered by one loop for a while and made once for all requests meanwhile:
/// anyone may ask for it, it reads ninety days, and they change once a minute.
final class StatusMemory {
  /// How long an answer is used again, in nanoseconds.
  static let lifetimeNanoseconds: UInt64 = 10_000_000_000
  /// How long the history is not read again after a failure, in nanoseconds, since reading may have failed for taking
  /// long: no longer than the `Retry-After` of a 503.
  static let failureNanoseconds: UInt64 = 1_000_000_000
  private static let key = "history"

  private let context: LoopContext
  private let loads = SingleFlight<String, TaggedBody>()
  private var memory = ShortMemory<String, TaggedBody>(lifetimeNanoseconds: lifetimeNanoseconds, capacity: 1)

  private var failure = ShortMemory<String, any Error>(lifetimeNanoseconds: failureNanoseconds, capacity: 1)

  init(_ context: LoopContext) { self.context = context }

  /// Returns the answer as it is or was a little while ago; throws what kept it from being made.
  func entry() async throws -> TaggedBody {
    if let known = memory.value(of: Self.key, at: context.loop.now) { return known }
    if let known = failure.value(of: Self.key, at: context.loop.now) { throw known }
    return try await loads.value(of: Self.key) {
      do {
        let entry = try await read()
        memory.keep(entry, of: Self.key, at: context.loop.now)
        return entry
      } catch {
        failure.keep(error, of: Self.key, at: context.loop.now)
        throw error
      }
    }
  }

  /// Reads for all requests to this loop, and so for no client: each loop has a share of its own.
  private func read() async throws -> TaggedBody {
    try await context.longReads.read(for: "status of loop \(context.loop.index)") { database in
      TaggedBody(try await StatusRecord(database: database).body())
    }
  }
}
