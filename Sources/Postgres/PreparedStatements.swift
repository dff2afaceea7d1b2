/// Which statements one connection has prepared, and with which parameter types.
///
/// A statement that is prepared again gets a new version and with it a new name, so that answers in flight for the old
/// one cannot be mistaken for answers for the new one.
struct PreparedStatements {
  /// What must be sent before the statement can be executed.
  enum Step: Equatable {
    case nothing
    case prepare
    /// A version is prepared that does not fit any more: deallocate it first.
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

  /// Notes that a statement is about to be executed with parameters of these types; returns what must be sent before,
  /// and which version to execute.
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

  /// Notes that the server does not know this version.
  mutating func forget(_ statement: Int, version: UInt32) {
    guard entries[statement].version == version else { return }
    entries[statement] = Entry(version: version + 1)
  }

  /// Notes that the server does not know the statement, whatever its version.
  mutating func forget(_ statement: Int) { forget(statement, version: entries[statement].version) }

  /// Notes that the server knows this version, but cannot use it any more.
  mutating func markStale(_ statement: Int, version: UInt32) {
    guard entries[statement].version == version else { return }
    entries[statement].signature = Self.stale
  }

  /// Forgets everything, for a new connection.
  mutating func removeAll() { entries.removeAll(keepingCapacity: true) }
}
