/// Figures as sentences have them.
enum Wording {
  /// A share with two decimals, such as `1.25 %`.
  static func percent(_ share: Double) -> String {
    let hundredths = Int((share * 10_000).rounded())
    let decimals = "\(hundredths % 100)"
    return "\(hundredths / 100).\(decimals.count < 2 ? "0" : "")\(decimals) %"
  }

  /// Seconds as whole milliseconds, such as `12 ms`.
  static func milliseconds(_ seconds: Double) -> String {
    seconds.isFinite ? "\(Int((seconds * 1_000).rounded())) ms" : "beyond measure"
  }

  /// Seconds as minutes and seconds, such as `1m20s`.
  static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole)s" }
    return whole % 60 == 0 ? "\(whole / 60)m" : "\(whole / 60)m\(whole % 60)s"
  }
}
