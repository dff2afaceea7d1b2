import Values

/// A value that can write itself as one JSON value.
package protocol JSONWritable {
  /// Writes exactly one value.
  func write(to json: inout JSONWriter)
}

extension String: JSONWritable {
  package func write(to json: inout JSONWriter) { json.string(self) }
}

extension Int64: JSONWritable {
  package func write(to json: inout JSONWriter) { json.integer(self) }
}

extension Int: JSONWritable {
  package func write(to json: inout JSONWriter) { json.integer(Int64(self)) }
}

extension Double: JSONWritable {
  package func write(to json: inout JSONWriter) { json.number(self) }
}

extension Bool: JSONWritable {
  package func write(to json: inout JSONWriter) { json.bool(self) }
}

extension Identifier: JSONWritable {
  package func write(to json: inout JSONWriter) { json.quoted(upTo: Self.textLength) { $0.append(self) } }
}

extension Timestamp: JSONWritable {
  package func write(to json: inout JSONWriter) { json.quoted(upTo: Self.textLength) { $0.append(self) } }
}

extension CivilDate: JSONWritable {
  package func write(to json: inout JSONWriter) { json.quoted(upTo: Self.textLength) { $0.append(self) } }
}

extension CurrencyCode: JSONWritable {
  package func write(to json: inout JSONWriter) { json.quoted(upTo: Self.textLength) { $0.append(self) } }
}

extension Money: JSONWritable {
  /// Writes `{"amount": minor units, "currency": "EUR"}`.
  package func write(to json: inout JSONWriter) {
    json.object {
      $0.member("amount", amount)
      $0.member("currency", currency)
    }
  }
}

extension Optional: JSONWritable where Wrapped: JSONWritable {
  /// Writes nil as null.
  package func write(to json: inout JSONWriter) {
    if let self { self.write(to: &json) } else { json.null() }
  }
}

extension Array: JSONWritable where Element: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.array { json in for element in self { element.write(to: &json) } }
  }
}

extension JSONValue: JSONWritable {
  package func write(to json: inout JSONWriter) {
    switch self {
    case .null: json.null()
    case .bool(let bool): json.bool(bool)
    case .integer(let integer): json.integer(integer)
    case .number(let number): json.number(number)
    case .string(let string): json.string(string)
    case .array(let array): array.write(to: &json)
    case .object(let object): object.write(to: &json)
    }
  }
}

extension JSONObject: JSONWritable {
  package func write(to json: inout JSONWriter) {
    json.object { json in
      for member in members {
        json.key(member.name)
        member.value.write(to: &json)
      }
    }
  }
}
