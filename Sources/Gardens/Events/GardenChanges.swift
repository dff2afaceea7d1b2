import Postgres
import Values
import Web

/// What is changed of gardens: everyone who sees one looks again.
struct GardenChanges {
  let cache: Cache
  let publisher: EventPublisher

  /// Runs `body` in a transaction that changes or takes away a garden, and has everyone look again who sees it; also
  /// when nobody can say whether it was committed.
  func commit<Value>(
    _ garden: Identifier, timeoutMilliseconds: Int? = nil, _ body: (Transaction) async throws -> Value
  ) async throws -> Value {
    do {
      let value = try await cache.change(timeoutMilliseconds: timeoutMilliseconds) { transaction, tags in
        tags = Self.tags(of: [garden])
        return try await body(transaction)
      }
      await publisher.accessChanged(garden)
      return value
    } catch let error as PostgresError where error.outcomeIsUnknown {
      await publisher.accessChanged(garden)
      throw error
    }
  }

  /// Tells of gardens that were changed or taken away by a transaction of someone else's.
  func announce(_ gardens: [Identifier]) async {
    await cache.invalidate(Self.tags(of: gardens))
    for garden in gardens { await publisher.accessChanged(garden) }
  }

  /// What is kept of gardens.
  private static func tags(of gardens: [Identifier]) -> [CacheTag] { [.gardens] + gardens.map { .garden($0) } }
}
