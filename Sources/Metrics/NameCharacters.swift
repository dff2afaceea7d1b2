/// What the names of metrics and labels have in common.
enum NameCharacters {
  static let maximumBytes = 128

  /// The fault in a name's characters: only snake_case in lower-case ASCII, without the reserved `__` and colons.
  static func fault(in name: String) -> String? {
    guard let first = name.utf8.first else { return "an empty name" }
    if name.utf8.count > maximumBytes { return "\(name): longer than \(maximumBytes) bytes" }
    if name.hasPrefix("__") { return "\(name): names beginning with __ are reserved" }
    let isNamed = name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
      default: false
      }
    }
    guard isNamed else { return "\(name): only a-z, 0-9 and _ may stand in a name" }
    guard first < UInt8(ascii: "0") || first > UInt8(ascii: "9") else { return "\(name): begins with a digit" }
    return nil
  }
}
