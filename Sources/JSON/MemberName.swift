/// A name that is compared byte by byte: Swift's `==` takes canonically equivalent strings for equal.
struct MemberName: Hashable {
  private let text: String

  init(_ text: String) { self.text = text }

  // Names of equal bytes are equal strings too, so the string's hash fits.
  static func == (left: MemberName, right: MemberName) -> Bool {
    let (left, right) = (left.text.utf8, right.text.utf8)
    guard left.count == right.count else { return false }
    let areEqual = left.withContiguousStorageIfAvailable { left in
      right.withContiguousStorageIfAvailable { right in left.elementsEqual(right) }
    }
    return (areEqual ?? nil) ?? left.elementsEqual(right)
  }
}
