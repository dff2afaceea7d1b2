/// Which statements one connection has prepared, and with which parameter types.
///
/// Whatever is prepared again gets a new version and with it a new name, so that answers that are still under way
/// for the old one cannot be mistaken for its.
struct PreparedStatements {
  /// What must be sent before the statement can be executed.
  enum Step: Equatable {
    case nothing
    case prepare
    /// Another version stands prepared that no longer fits: drop that first.
    case replace(version: UInt32)
  }

  private struct Entry {
    var signature = PreparedStatements.unknown
    var version: UInt32 = 0
  }

  private static let unknown: UInt32 = 0
  private static let stale: UInt32 = 1
  // By the statement's number.
  private var entries: [Entry] = []

  /// Notes that the statement is about to be executed with such parameters; tells what has to go before, and as which
  /// version it is executed.
  mutating func use(_ statement: Int, signature: UInt32) -> (step: Step, version: UInt32) {
    if statement >= entries.count {
      entries.append(contentsOf: repeatElement(Entry(), count: statement + 32 - entries.count))
    }
    let entry = entries[statement]
    if entry.signature == signature { return (.nothing, entry.version) }
    entries[statement].signature = signature
    if entry.signature == Self.unknown { return (.prepare, entry.version) }
    entries[statement].version += 1
    return (.replace(version: entry.version), entry.version + 1)
  }

  /// The server does not know that version.
  mutating func forget(_ statement: Int, version: UInt32) {
    guard entries[statement].version == version else { return }
    entries[statement] = Entry(version: version + 1)
  }

  /// The server does not know the statement.
  mutating func forget(_ statement: Int) { forget(statement, version: entries[statement].version) }

  /// The server knows that version, but cannot use it any more.
  mutating func markStale(_ statement: Int, version: UInt32) {
    guard entries[statement].version == version else { return }
    entries[statement].signature = Self.stale
  }

  /// A new connection knows nothing.
  mutating func removeAll() { entries.removeAll(keepingCapacity: true) }
}
