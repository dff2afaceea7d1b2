/// A name that equals another only if its bytes do: Swift's own comparison takes two Unicode spellings for one.
struct MemberName: Hashable {
  private let text: String

  init(_ text: String) { self.text = text }

  // Equal bytes make equal strings, and so equal hashes; the quick comparison decides nearly always.
  static func == (left: MemberName, right: MemberName) -> Bool {
    left.text == right.text && left.text.utf8.elementsEqual(right.text.utf8)
  }
}
