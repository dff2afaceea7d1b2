extension Substring {
  /// Without spaces and tabs at both ends.
  package var trimmingSpaces: String { trimming { $0 == " " || $0 == "\t" } }

  /// Without white space at both ends, line ends among it.
  package var trimmingWhitespace: String { trimming(\.isWhitespace) }

  private func trimming(_ isLeftOut: (Character) -> Bool) -> String {
    var text = self
    while let first = text.first, isLeftOut(first) { text.removeFirst() }
    while let last = text.last, isLeftOut(last) { text.removeLast() }
    return String(text)
  }
}

extension String {
  /// Without spaces and tabs at both ends.
  package var trimmingSpaces: String { self[...].trimmingSpaces }

  /// Without white space at both ends, line ends among it.
  package var trimmingWhitespace: String { self[...].trimmingWhitespace }
}
