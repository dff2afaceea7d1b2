/// One header field as it stands in the head.
package struct FieldSlice: Equatable, Sendable {
  package var name: Slice
  /// The value, without the white space around it.
  package var value: Slice
}

/// Room for the header fields of one head, filled by the parser.
package struct FieldTable {
  let base: UnsafeMutablePointer<FieldSlice>
  let capacity: Int

  package init(base: UnsafeMutablePointer<FieldSlice>, capacity: Int) {
    self.base = base
    self.capacity = capacity
  }
}
