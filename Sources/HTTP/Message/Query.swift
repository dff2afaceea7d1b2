/// The parameters of a query in their order, decoded as a form is (`application/x-www-form-urlencoded`, UTF-8).
package struct Query: Sendable {
  /// The most parameters that are read; further ones are a fault.
  static let parameterLimit = 100

  /// Names and values, decoded; a parameter without `=` has an empty value.
  package let parameters: [(name: String, value: String)]

  /// Parses a query without its question mark; throws a 400 when an escape is malformed or there are more than
  /// `parameterLimit` parameters.
  init(_ bytes: RawSpan) throws(RequestFault) {
    var parameters: [(name: String, value: String)] = []
    var start = 0
    while start < bytes.byteCount {
      var end = start
      var equals = -1
      while end < bytes.byteCount, bytes[end] != UInt8(ascii: "&") {
        if equals < 0, bytes[end] == UInt8(ascii: "=") { equals = end }
        end += 1
      }
      if end > start {
        let nameEnd = equals < 0 ? end : equals
        let valueStart = equals < 0 ? end : equals + 1
        guard parameters.count < Self.parameterLimit else { throw .malformed("The query has too many parameters") }
        guard let name = PercentEncoding.decode(bytes.extracting(start..<nameEnd), plusIsSpace: true),
          let value = PercentEncoding.decode(bytes.extracting(valueStart..<end), plusIsSpace: true)
        else { throw .malformed("The query is not valid percent-encoded UTF-8") }
        parameters.append((name, value))
      }
      start = end + 1
    }
    self.parameters = parameters
  }

  init() { parameters = [] }

  /// The value of a parameter, nil if it is absent; throws a 400 when it is given twice.
  package func value(_ name: String) throws(RequestFault) -> String? {
    var found: String?
    for parameter in parameters where parameter.name == name {
      guard found == nil else { throw .malformed("The query parameter \(name) is given twice") }
      found = parameter.value
    }
    return found
  }
}
