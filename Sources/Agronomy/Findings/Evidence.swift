import JSON

/// The evidence of a finding, as later findings read it.
struct Evidence {
  /// A JSON object.
  let json: [UInt8]

  /// The objects of one of its lists; empty where it has no such list.
  subscript(list: String) -> [JSONObject] {
    guard case .object(let members)? = try? JSONReader.parse(json), case .array(let items)? = members[list] else {
      return []
    }
    return items.compactMap { item in if case .object(let item) = item { item } else { nil } }
  }
}

extension JSONObject {
  /// A member that is a string.
  func text(_ name: String) -> String? { if case .string(let text)? = self[name] { text } else { nil } }

  /// A member that is a number.
  func number(_ name: String) -> Double? {
    switch self[name] {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }
}
