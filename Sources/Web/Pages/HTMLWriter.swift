/// Writes HTML text into bytes; what is not markup is escaped.
package struct HTMLWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {
  }

  /// Writes markup as it stands.
  package mutating func markup(_ markup: StaticString) { markup.withUTF8Buffer { bytes.append(contentsOf: $0) } }

  /// Writes a piece of a page that is HTML already.
  mutating func markup(_ markup: [UInt8]) { bytes += markup }

  /// Writes text, in which nothing is markup.
  package mutating func text(_ text: String) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "&"): markup("&amp;")
      case UInt8(ascii: "<"): markup("&lt;")
      case UInt8(ascii: ">"): markup("&gt;")
      case UInt8(ascii: "\""): markup("&quot;")
      case UInt8(ascii: "'"): markup("&#39;")
      default: bytes.append(byte)
      }
    }
  }

  /// Writes an element with what `content` writes in it.
  package mutating func element(
    _ name: StaticString, _ attributes: KeyValuePairs<StaticString, String> = [:], _ content: (inout HTMLWriter) -> Void
  ) {
    markup("<")
    markup(name)
    for (name, value) in attributes {
      markup(" ")
      markup(name)
      markup("=\"")
      text(value)
      markup("\"")
    }
    markup(">")
    content(&self)
    markup("</")
    markup(name)
    markup(">")
  }

  /// Writes an element that holds text.
  package mutating func element(_ name: StaticString, _ attributes: KeyValuePairs<StaticString, String>, _ text: String)
  {
    element(name, attributes) { html in html.text(text) }
  }

  /// Writes an element that holds text.
  package mutating func element(_ name: StaticString, _ text: String) { element(name, [:], text) }

  /// Writes prose in which backticks mark code.
  package mutating func prose(_ prose: String) {
    for (index, part) in prose.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
      if index % 2 == 0 { text(String(part)) } else { element("code", String(part)) }
    }
  }
}
