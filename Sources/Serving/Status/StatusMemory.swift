import Reactor
import Web

/// How the service was, remembered for a while by one loop and made once for all who ask meanwhile: anybody may ask,
/// what is read for it are ninety days, and they change once a minute.
final class StatusMemory {
  /// How long it is shown again, in nanoseconds.
  static let lifetimeNanoseconds: UInt64 = 10_000_000_000
  private static let key = "history"

  private let context: LoopContext
  private let loads = SingleFlight<String, TaggedBody>()
  private var memory = ShortMemory<String, TaggedBody>(lifetimeNanoseconds: lifetimeNanoseconds, capacity: 1)

  init(_ context: LoopContext) { self.context = context }

  /// The answer as it is or was a little while ago.
  func entry() async throws -> TaggedBody {
    if let known = memory.value(of: Self.key, at: context.loop.now) { return known }
    return try await loads.value(of: Self.key) {
      let entry = TaggedBody(try await StatusRecord(database: context.database).body())
      memory.keep(entry, of: Self.key, at: context.loop.now)
      return entry
    }
  }
}
