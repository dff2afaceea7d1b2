import Synchronization

/// A statement that is prepared once on each connection and then executed by its short name.
///
/// Make each one once, as a `static let`: every instance takes a number for the life of the process, by which
/// connections remember whether they have prepared it. Its parameters have the types of the Swift values that are
/// passed; should these change from one call to the next, it is prepared anew.
package final class Statement: Sendable {
  /// The number of this statement in the process, from 1.
  package let id: Int
  /// Its name in metrics and spans, for example `gardens.byID`.
  package let name: String
  /// The text, with `$1`, `$2` and so on.
  package let text: String
  // The name of the first version: at most 15 bytes, so that the String needs no memory of its own.
  private let firstName: String

  private static let made = Atomic<Int>(0)

  package init(_ name: String, _ text: String) {
    id = Self.made.add(1, ordering: .relaxed).newValue
    self.name = name
    self.text = text
    firstName = "s\(id)"
  }

  /// Returns the name of a version on the wire.
  func preparedName(_ version: UInt32) -> String { version == 0 ? firstName : "s\(id)v\(version)" }
}
