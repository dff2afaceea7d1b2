import Postgres

/// An answer that several may ask for: where it is kept, and what loads it when it is not. What makes it another one,
/// such as who asks, is part of its key.
///
/// A class, because what waits for the cache holds it, and would else hold each of its parts.
package final class CachedAnswer {
  let key: CacheKey
  /// Lists carry a weak tag and a link to their next page.
  let isList: Bool
  package let load: () async throws -> [UInt8]
  /// What loads it without a task, if one statement does.
  let row: (read: () -> PreparedRead, body: (Rows) throws -> [UInt8])?

  package init(_ key: CacheKey, isList: Bool = false, load: @escaping () async throws -> [UInt8]) {
    self.key = key
    self.isList = isList
    self.load = load
    row = nil
  }

  /// An answer whose body is made of the rows of one statement.
  package init(_ key: CacheKey, read: @escaping () -> PreparedRead, body: @escaping (Rows) throws -> [UInt8]) {
    self.key = key
    isList = false
    load = { try body(try await read().rows()) }
    row = (read, body)
  }
}
