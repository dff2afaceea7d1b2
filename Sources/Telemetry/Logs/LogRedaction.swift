/// Keeps secrets out of the log.
package enum LogRedaction {
  /// What stands in place of a secret.
  package static let mask = "***"

  /// Parts of parameter names whose values are secret, in lower case and without separators.
  private static let secretNames = [
    "token", "key", "password", "passwd", "pwd", "secret", "auth", "signature", "sig", "session", "credential", "jwt",
    "ticket",
  ]

  /// The prefixes of all keys that the server gives out: some belong into a path, any may get there by mistake.
  private static let keyPrefixes = ["trt_", "tdk_", "tpt_", "tiv_", "ttk_", "tsk_", "tpr_"]

  /// A request target with segments that hold a key and the values of secret query parameters masked; all else stays.
  ///
  /// A parameter counts as secret when its name, in any case and with separators ignored, contains one of the usual
  /// words (token, key, password, …), or holds a percent sign that might hide one; or when a key stands in its value,
  /// such as the path to go back to. An escaped letter may hide a key.
  package static func path(_ target: UnsafeRawBufferPointer) -> String {
    let text = String(decoding: target, as: UTF8.self)
    let mark = text.firstIndex(of: "?") ?? text.endIndex
    let segments = text[..<mark].split(separator: "/", omittingEmptySubsequences: false).map { segment in
      holdsKey(segment) ? mask[...] : segment
    }
    let path = segments.joined(separator: "/")
    if mark == text.endIndex { return path }
    let query = text[text.index(after: mark)...]
    let parameters = query.split(separator: "&", omittingEmptySubsequences: false).map { parameter in
      let name = parameter.prefix { $0 != "=" }
      if holdsKey(name) { return mask }
      let value = parameter[name.endIndex...]
      guard !value.isEmpty, isSecret(name) || holdsKey(value) else { return String(parameter) }
      return "\(name)=\(mask)"
    }
    return path + "?" + parameters.joined(separator: "&")
  }

  /// A request target with segments that hold a key and the values of secret query parameters masked.
  package static func path(_ target: String) -> String {
    var target = target
    return target.withUTF8 { utf8 in
      let bytes = UnsafeRawBufferPointer(utf8)
      return needsMasking(bytes) ? path(bytes) : String(decoding: bytes, as: UTF8.self)
    }
  }

  /// A line for people with the targets and URLs in it masked, each of which ends at a blank or a quotation mark.
  package static func line(_ text: String) -> String {
    text.split(separator: "\"", omittingEmptySubsequences: false).map { part in
      part.split(separator: " ", omittingEmptySubsequences: false).map { path(String($0)) }.joined(separator: " ")
    }.joined(separator: "\"")
  }

  /// Whether a name says that its value is a secret.
  package static func isSecret(_ name: some StringProtocol) -> Bool {
    if name.utf8.contains(UInt8(ascii: "%")) { return true }
    let plain = name.lowercased().filter { $0 != "_" && $0 != "-" && $0 != "." }
    return secretNames.contains { plain.contains($0) }
  }

  /// Whether a text holds a key, or may hold one behind an escape: keys are read decoded.
  private static func holdsKey(_ text: Substring) -> Bool {
    let bytes = text.utf8
    return bytes.indices.contains { place in
      switch bytes[place] {
      case UInt8(ascii: "_"): keyPrefixes.contains { bytes[...place].suffix($0.utf8.count).elementsEqual($0.utf8) }
      case UInt8(ascii: "%"): hidesKey(Substring(bytes[place...].dropFirst().prefix(2)))
      default: false
      }
    }
  }

  /// Whether an escape with these digits stands for what keys begin with, a small letter or `_`, which need no escape
  /// (RFC 3986, section 2.3).
  private static func hidesKey(_ digits: Substring) -> Bool {
    guard let code = UInt8(digits, radix: 16) else { return false }
    return code == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(code)
  }

  /// Whether a target may need masking: it has a query, or what every key has, an underscore, as it is or escaped.
  static func needsMasking(_ target: UnsafeRawBufferPointer) -> Bool {
    target.contains { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "%") }
  }
}
