/// An enumeration whose raw values are the words that a column of text may hold.
package protocol PostgresEnumeration: PostgresDecodable, RawRepresentable where RawValue == String {}

extension PostgresEnumeration {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Self { try known(String.decode(cell)) }

  /// Returns the case for a word; throws `.misuse` for an unknown one, such as one that only a later release has.
  package static func known(_ word: String) throws(PostgresError) -> Self {
    guard let value = Self(rawValue: word) else { throw PostgresError(.misuse, "no \(Self.self) is called \(word)") }
    return value
  }
}
