/// Reads Prometheus' text exposition format 0.0.4, as far as samples go: comments and time stamps are passed over.
struct TextExposition {
  /// One line: a name, labels and a value.
  struct Sample: Equatable {
    let name: String
    var labels: [Label] = []
    let value: Double

    subscript(label name: String) -> String? { labels.first { $0.name == name }?.value }
  }

  struct Label: Equatable {
    let name: String
    let value: String
  }

  /// A line that is no sample, counted from 1.
  struct Malformed: Error, Equatable, CustomStringConvertible {
    let line: Int
    var description: String { "line \(line) of the metrics cannot be read" }
  }

  private var rest: ArraySlice<UInt8>

  /// The samples whose names are wanted, in their order.
  static func samples(_ text: [UInt8], named isWanted: (String) -> Bool) throws(Malformed) -> [Sample] {
    var samples: [Sample] = []
    var number = 0
    for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      number += 1
      var reader = TextExposition(rest: line)
      reader.skipSpaces()
      guard let first = reader.rest.first, first != UInt8(ascii: "#") else { continue }
      let name = reader.name()
      if name.isEmpty { throw Malformed(line: number) }
      guard isWanted(name) else { continue }
      guard let sample = reader.sample(named: name) else { throw Malformed(line: number) }
      samples.append(sample)
    }
    return samples
  }

  private mutating func sample(named name: String) -> Sample? {
    var labels: [Label] = []
    if take(UInt8(ascii: "{")) {
      while !take(UInt8(ascii: "}")) {
        guard let label = label() else { return nil }
        labels.append(label)
        skipSpaces()
        guard take(UInt8(ascii: ",")) || rest.first == UInt8(ascii: "}") else { return nil }
        skipSpaces()
      }
    }
    skipSpaces()
    let word = rest.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }
    guard let value = Self.number(String(decoding: word, as: UTF8.self)) else { return nil }
    return Sample(name: name, labels: labels, value: value)
  }

  private mutating func label() -> Label? {
    let name = name()
    guard !name.isEmpty, take(UInt8(ascii: "=")), take(UInt8(ascii: "\"")) else { return nil }
    var value: [UInt8] = []
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return Label(name: name, value: String(decoding: value, as: UTF8.self))
      case UInt8(ascii: "\\"):
        guard let escaped = rest.popFirst() else { return nil }
        value.append(escaped == UInt8(ascii: "n") ? UInt8(ascii: "\n") : escaped)
      default: value.append(byte)
      }
    }
    return nil
  }

  private mutating func name() -> String {
    let name = rest.prefix { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
        true
      default: false
      }
    }
    rest = rest[name.endIndex...]
    return String(decoding: name, as: UTF8.self)
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard rest.first == byte else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func skipSpaces() { rest = rest.drop { $0 == UInt8(ascii: " ") } }

  /// A number, or an infinity as the format writes it.
  private static func number(_ word: String) -> Double? {
    switch word {
    case "+Inf", "Inf": .infinity
    case "-Inf": -.infinity
    case "NaN": .nan
    default: Double(word)
    }
  }
}
