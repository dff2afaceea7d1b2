import Values

/// A name for entries of the cache that are invalidated together: a resource, or the lists in which a change may show.
///
/// Each feature defines its own. The bytes are stored in Redis, where the previous release reads them too.
package struct CacheTag: Hashable, Sendable {
  let bytes: [UInt8]

  /// All lists of a kind.
  package init(_ name: StaticString) { bytes = name.withUTF8Buffer { Array($0) } }

  /// One resource, or what belongs to it.
  package init(_ name: StaticString, _ id: Identifier) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(name.utf8CodeUnitCount + 1 + Identifier.textLength)
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: ":"))
    id.appendText(to: &bytes)
    self.bytes = bytes
  }
}
