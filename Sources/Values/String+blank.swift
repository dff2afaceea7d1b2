extension String {
  /// Whether there is nothing to see in it: it is empty, or all of it is blank.
  package var isBlank: Bool { unicodeScalars.allSatisfy(\.isBlank) }
}

extension Unicode.Scalar {
  /// Whether it is white space, or shown as nothing by itself: what Unicode says may be ignored by default, such as
  /// U+200B and U+FEFF, and the Braille pattern without dots, which is a space in all but its class.
  package var isBlank: Bool { properties.isWhitespace || properties.isDefaultIgnorableCodePoint || self == "\u{2800}" }
}
