/// A figure of a table, and whether it meets its bound.
struct Figure {
  let text: String
  let isKept: Bool

  init(_ text: String, _ isKept: Bool = true) {
    self.text = text
    self.isKept = isKept
  }

  /// The figure as a table cell: bold if it misses its bound.
  var cell: String { isKept ? text : "**\(text)**" }

  static func share(_ value: Double, atLeast bound: Double) -> Figure { Figure(digits(value), value >= bound) }
  static func share(_ value: Double, atMost bound: Double) -> Figure { Figure(digits(value), value <= bound) }
  static func count(_ value: Int, atMost bound: Int) -> Figure { Figure("\(value)", value <= bound) }

  static func digits(_ value: Double) -> String {
    let hundredths = Int((abs(value) * 100).rounded())
    let fraction = hundredths % 100
    return (value < 0 && hundredths > 0 ? "-" : "") + "\(hundredths / 100)." + (fraction < 10 ? "0" : "")
      + "\(fraction)"
  }
}

/// A Markdown table of figures.
struct Table {
  let head: [String]
  var rows: [[Figure]] = []

  var markdown: String {
    let lines = [head, head.map { _ in "---" }] + rows.map { $0.map(\.cell) }
    return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
  }
}
