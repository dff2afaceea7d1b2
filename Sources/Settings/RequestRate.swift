import Values

/// How many requests one client may make in how many seconds.
package struct RequestRate: Hashable, Sendable {
  package let count: Int
  package let seconds: Int
}

extension Form where Value == RequestRate? {
  /// `count/seconds`, or `off` for no limit.
  static var rate: Form {
    Form(
      parse: { text throws(InvalidText) in
        if text == "off" { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(digits: parts[0]), let seconds = Int(digits: parts[1]),
          (1...1_000_000_000).contains(count), (1...86_400).contains(seconds)
        else { throw InvalidText("is not count/seconds, such as 600/60, or off") }
        return RequestRate(count: count, seconds: seconds)
      }, show: { $0.map { "\($0.count)/\($0.seconds)" } ?? "off" })
  }
}
