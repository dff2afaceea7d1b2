import Postgres

/// An answer that several may ask for: where it is kept, and what loads it when it is not.
///
/// A class, because what waits for the cache holds it, and would else hold each of its parts.
package final class CachedAnswer {
  let key: CacheKey
  /// Lists carry a weak tag and a link to their next page.
  let isList: Bool
  /// Whether all who ask for the same target get it; false where who asks is part of the key.
  let isForEveryone: Bool
  package let load: () async throws -> [UInt8]
  /// What loads it without a task, if one statement does.
  let row: (read: () -> PreparedRead, body: (Rows) throws -> [UInt8])?

  package init(
    _ key: CacheKey, isList: Bool = false, isForEveryone: Bool = true, load: @escaping () async throws -> [UInt8]
  ) {
    self.key = key
    self.isList = isList
    self.isForEveryone = isForEveryone
    self.load = load
    row = nil
  }

  /// An answer whose body is made of the rows of one statement.
  package init(_ key: CacheKey, read: @escaping () -> PreparedRead, body: @escaping (Rows) throws -> [UInt8]) {
    self.key = key
    isList = false
    isForEveryone = true
    load = { try body(try await read().rows()) }
    row = (read, body)
  }
}
