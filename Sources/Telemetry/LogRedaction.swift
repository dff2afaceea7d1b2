/// Keeps secrets out of the log.
package enum LogRedaction {
  /// What stands in place of a secret.
  package static let mask = "***"

  /// Parts of parameter names whose values are secret, in lower case and without separators.
  private static let secretNames = [
    "token", "key", "password", "passwd", "pwd", "secret", "auth", "signature", "sig", "session", "credential", "jwt",
    "ticket",
  ]

  /// A request target with the values of secret query parameters masked; other values stay.
  ///
  /// A parameter counts as secret when its name, in any case and with separators ignored, contains one of the usual
  /// words (token, key, password, …), or holds a percent sign that might hide one.
  package static func path(_ target: UnsafeRawBufferPointer) -> String {
    let text = String(decoding: target, as: UTF8.self)
    guard let mark = text.firstIndex(of: "?") else { return text }
    let query = text[text.index(after: mark)...]
    let parameters = query.split(separator: "&", omittingEmptySubsequences: false).map { parameter in
      guard let equals = parameter.firstIndex(of: "="), isSecret(parameter[..<equals]) else { return String(parameter) }
      return parameter[...equals] + mask
    }
    return text[...mark] + parameters.joined(separator: "&")
  }

  /// A request target with the values of secret query parameters masked.
  package static func path(_ target: String) -> String {
    guard target.utf8.contains(UInt8(ascii: "?")) else { return target }
    var target = target
    return target.withUTF8 { path(UnsafeRawBufferPointer($0)) }
  }

  /// Whether a name says that its value is a secret.
  package static func isSecret(_ name: some StringProtocol) -> Bool {
    if name.utf8.contains(UInt8(ascii: "%")) { return true }
    let plain = name.lowercased().filter { $0 != "_" && $0 != "-" && $0 != "." }
    return secretNames.contains { plain.contains($0) }
  }

  /// Whether a target has a query at all: without one nothing needs masking.
  static func needsMasking(_ target: UnsafeRawBufferPointer) -> Bool {
    target.contains(UInt8(ascii: "?"))
  }
}
