import Postgres

/// An answer that several clients may ask for: where it is kept, and what loads it. Whatever makes it differ, such as
/// who asks, is part of its key.
///
/// A class, so that whatever waits for the cache counts one reference instead of one for each part.
package final class CachedAnswer {
  let key: CacheKey
  /// Lists carry a weak tag and a link to their next page.
  let isList: Bool
  package let load: () async throws -> [UInt8]
  /// Loads it without a task, by one statement; nil where one is not enough.
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
