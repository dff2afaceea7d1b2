/// A name that equals another only if its bytes do: Swift's own comparison takes two Unicode spellings for one.
struct MemberName: Hashable {
  private let text: String

  init(_ text: String) { self.text = text }

  // Equal bytes make equal strings, and so the hash of the string serves.
  static func == (left: MemberName, right: MemberName) -> Bool {
    let (left, right) = (left.text.utf8, right.text.utf8)
    guard left.count == right.count else { return false }
    let areEqual = left.withContiguousStorageIfAvailable { left in
      right.withContiguousStorageIfAvailable { right in left.elementsEqual(right) }
    }
    return (areEqual ?? nil) ?? left.elementsEqual(right)
  }
}
