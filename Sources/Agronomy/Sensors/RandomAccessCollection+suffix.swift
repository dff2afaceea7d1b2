extension RandomAccessCollection {
  /// Returns the longest suffix whose elements all satisfy `condition`.
  func suffix(while condition: (Element) -> Bool) -> SubSequence {
    var start = endIndex
    while start > startIndex, condition(self[index(before: start)]) { start = index(before: start) }
    return self[start...]
  }
}
