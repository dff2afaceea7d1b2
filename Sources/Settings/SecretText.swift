import Glibc
import Telemetry

/// Judges how strong secrets are, and masks them where they are shown.
enum SecretText {
  /// What stands in place of a secret.
  static let mask = "***"
  /// The least length of a secret that signs, in bytes.
  static let minimumBytes = 32
  /// The least entropy of a secret, in bits, estimated from how often its bytes occur: 32 random hexadecimal digits
  /// come out at 115 give or take 5, a word repeated at less.
  private static let minimumBits = 85.0

  private static let defaults = [
    "changeme", "change-me", "change_me", "default", "example", "secret", "password", "your-", "your_", "replace",
    "insecure", "development", "terroir",
  ]

  private static let commonPasswords: Set<String> = [
    "", "postgres", "password", "passw0rd", "terroir", "changeme", "secret", "admin", "root", "redis", "default",
    "test",
    "123456", "12345678", "example",
  ]

  /// Why a secret is too weak to sign with; nil when nothing speaks against it.
  static func weakness(_ secret: String) -> String? {
    let bytes = Array(secret.utf8)
    if bytes.count < minimumBytes { return "is shorter than \(minimumBytes) bytes" }
    if defaults.contains(where: { secret.lowercased().contains($0) }) { return "looks like a default" }
    if isRepetition(bytes) || bits(bytes) < minimumBits { return "is not random enough" }
    return nil
  }

  /// Whether a password is one of the most common, or the user's name.
  static func isCommon(password: String, user: String?) -> Bool {
    commonPasswords.contains(password.lowercased()) || password == user
  }

  /// A URL with its passwords masked: the one before the host, and those in its query.
  static func masked(url: String) -> String {
    guard let mark = url.firstRange(of: "://") else { return mask }
    var shown = String(url[..<mark.upperBound])
    var rest = url[mark.upperBound...]
    // To libpq a question mark before the @ is a part of the password, or of the user: one whose name has a password in
    // it is meant as a query, whose password has an @.
    let beforePath = rest.prefix { $0 != "/" }
    let hostAt = beforePath.firstIndex(of: "@") ?? beforePath.startIndex
    let end = beforePath[hostAt...].firstIndex(of: "?") ?? beforePath.endIndex
    if let at = beforePath[..<end].lastIndex(of: "@") {
      let colon = rest[..<at].firstIndex(of: ":")
      let user = rest[..<(colon ?? at)]
      if !(user.contains("?") && user.contains("password=")) {
        shown += colon.map { "\(rest[...$0])\(mask)" } ?? String(user)
        rest = rest[at...]
      }
    }
    guard let question = rest.firstIndex(of: "?") else { return shown + rest }
    let query = rest[rest.index(after: question)...].split(separator: "&").map { parameter in
      parameter.hasPrefix("password=") || parameter.hasPrefix("sslpassword=")
        ? parameter.prefix { $0 != "=" } + "=" + mask : String(parameter)
    }
    return shown + rest[...question] + query.joined(separator: "&")
  }

  /// A text that could not be read, and may hold a URL, with what may be a password masked: all from the first colon
  /// behind the scheme to the last `@`, since a password may have a slash that nobody has escaped.
  static func masked(malformed text: String) -> String {
    let start = text.firstRange(of: "://")?.upperBound ?? text.startIndex
    guard let at = text.lastIndex(of: "@"), start < at, let colon = text[start..<at].firstIndex(of: ":") else {
      return LogRedaction.path(text)
    }
    return LogRedaction.path("\(text[...colon])\(mask)\(text[at...])")
  }

  /// Shannon's entropy of the bytes, as if each were drawn independently.
  private static func bits(_ bytes: [UInt8]) -> Double {
    var counts = [Int](repeating: 0, count: 256)
    for byte in bytes { counts[Int(byte)] += 1 }
    let total = Double(bytes.count)
    return counts.reduce(0) { $0 - ($1 == 0 ? 0 : Double($1) * log2(Double($1) / total)) }
  }

  /// Whether the bytes repeat a shorter piece.
  private static func isRepetition(_ bytes: [UInt8]) -> Bool {
    (1...max(1, bytes.count / 2)).contains { length in
      bytes.indices.allSatisfy { bytes[$0] == bytes[$0 % length] }
    }
  }
}
