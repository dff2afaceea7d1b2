import Postgres
import Values
import Web

/// Changes of gardens: afterwards caches are invalidated, and the access of watchers is checked again.
struct GardenChanges {
  let cache: Cache
  let publisher: EventPublisher

  /// Runs `body` in a transaction that changes or deletes a garden, and announces that; also when the outcome of the
  /// COMMIT is unknown.
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

  /// Announces gardens that were changed or deleted by a transaction elsewhere.
  func announce(_ gardens: [Identifier]) async {
    await cache.invalidate(Self.tags(of: gardens))
    for garden in gardens { await publisher.accessChanged(garden) }
  }

  /// The cache tags of gardens.
  private static func tags(of gardens: [Identifier]) -> [CacheTag] { [.gardens] + gardens.map { .garden($0) } }
}
