/// A statement written where it is used; what is interpolated is bound as a parameter and never becomes text.
///
/// `"SELECT name FROM gardens WHERE id = \(id)"` is sent as `SELECT name FROM gardens WHERE id = $1`. Another `SQL` may
/// be interpolated as a fragment. The server parses the statement at each execution: what runs often belongs in a
/// `Statement`.
package struct SQL: ExpressibleByStringInterpolation {
  // One more than there are parameters: parameter n stands between literals n and n + 1.
  private(set) var literals: [String]
  private(set) var parameters: ParameterBuffer

  package init(stringLiteral value: String) {
    literals = [value]
    parameters = ParameterBuffer()
  }

  package init(stringInterpolation: StringInterpolation) {
    literals = stringInterpolation.literals
    parameters = stringInterpolation.parameters
  }

  /// SQL text made by our own code, for example a migration.
  package init(unescaped text: String) { self.init(stringLiteral: text) }

  /// The text with `$1`, `$2` and so on.
  var text: String {
    var text = literals[0]
    for (index, literal) in literals.dropFirst().enumerated() { text += "$\(index + 1)\(literal)" }
    return text
  }

  package static func + (left: SQL, right: SQL) -> SQL { "\(left)\(right)" }

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var literals = [""]
    fileprivate var parameters = ParameterBuffer()

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ literal: String) { literals[literals.count - 1] += literal }

    /// Binds a value.
    package mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
      parameters.append(value)
      literals.append("")
    }

    /// Inserts a fragment with its own parameters.
    package mutating func appendInterpolation(_ fragment: SQL) {
      appendLiteral(fragment.literals[0])
      literals.append(contentsOf: fragment.literals.dropFirst())
      parameters.append(fragment.parameters)
    }

    /// Inserts text as it is: only for identifiers that our own code makes, never for what a client sent.
    package mutating func appendInterpolation(unescaped text: String) { appendLiteral(text) }
  }
}
