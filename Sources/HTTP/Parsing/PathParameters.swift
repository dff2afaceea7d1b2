/// The positions of a route's parameters in a path, in the order of the template; the text there is percent-encoded.
package struct PathParameters {
  private var slices = InlineArray<4, Slice>(repeating: Slice())
  package private(set) var count = 0

  package init() {}

  mutating func append(_ slice: Slice) {
    slices[count] = slice
    count += 1
  }

  mutating func removeLast() { count -= 1 }

  package mutating func removeAll() { count = 0 }

  subscript(_ index: Int) -> Slice { slices[index] }
}
