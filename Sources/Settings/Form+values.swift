import Telemetry
import Values

extension Form where Value == Int {
  /// A whole number within bounds, in decimal digits.
  static func integer(_ range: ClosedRange<Int>) -> Form {
    Form(
      "a whole number of \(range.lowerBound) to \(range.upperBound)",
      parse: { text in Int(digits: text).flatMap { range.contains($0) ? $0 : nil } }, show: { "\($0)" })
  }

  /// A number of bytes within bounds, in digits or with KiB, MiB or GiB behind them.
  static func bytes(_ range: ClosedRange<Int>) -> Form {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]
    @Sendable func show(_ value: Int) -> String {
      for (name, size) in units.reversed() where value > 0 && value % size == 0 { return "\(value / size)\(name)" }
      return "\(value)"
    }
    return Form(
      "a number of bytes from \(show(range.lowerBound)) to \(show(range.upperBound))",
      parse: { text in
        let unit = units.first { text.hasSuffix($0.0) }
        guard let number = Int(digits: text.dropLast(unit?.0.count ?? 0)) else { return nil }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit?.1 ?? 1)
        return !overflow && range.contains(value) ? value : nil
      }, show: show)
  }
}

extension Form where Value == UInt16 {
  /// A TCP port; 0 has a meaning of its own where it is allowed.
  static func port(allowingZero: Bool) -> Form {
    Form(
      "a port of \(allowingZero ? 0 : 1) to 65535",
      parse: { text in UInt16(digits: text).flatMap { $0 > 0 || allowingZero ? $0 : nil } },
      show: { "\($0)" })
  }
}

extension Form where Value == Double {
  /// A share of 0 to 1.
  static var share: Form {
    Form(
      "a number of 0 to 1",
      parse: { text in
        guard text.utf8.allSatisfy({ $0.isASCIIDigit || $0 == UInt8(ascii: ".") }), let value = Double(text) else {
          return nil
        }
        return value <= 1 ? value : nil
      }, show: { "\($0)" })
  }
}

extension Form where Value == Bool {
  /// A switch.
  static var flag: Form {
    Form(
      "on or off",
      parse: { text in
        switch text.lowercased() {
        case "on", "true", "yes", "1": true
        case "off", "false", "no", "0": false
        default: nil
        }
      }, show: { $0 ? "on" : "off" })
  }
}

extension Form where Value == String {
  /// Printable text of at most `maximumBytes` bytes.
  static func text(_ maximumBytes: Int) -> Form {
    Form(
      "printable text of 1 to \(maximumBytes) bytes",
      parse: { text in
        let isFit =
          text.utf8.count <= maximumBytes && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{7F}" }
        return isFit ? text : nil
      }, show: { $0 })
  }
}

extension Form where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of the enumeration's names.
  static var name: Form {
    Form(
      "one of \(Value.allCases.map(\.rawValue).joined(separator: ", "))", parse: { Value(rawValue: $0) },
      show: { $0.rawValue })
  }
}

extension Form where Value == ServiceURL {
  /// A URL with one of `schemes`.
  static func url(_ schemes: String...) -> Form {
    Form(
      "a URL such as \(schemes[0])://host:port/path",
      parse: { text in ServiceURL(text).flatMap { schemes.contains($0.scheme) ? $0 : nil } },
      show: { LogRedaction.path($0.description) })
  }
}
