/// A template of paths: segments that are literal, or parameters in braces that stand for any one segment.
struct PathTemplate {
  enum Segment: Equatable {
    case literal(String)
    case parameter(String)
  }

  /// The most parameters of a template.
  static let parameterLimit = 4

  let text: String
  let segments: [Segment]

  /// Parses a template, which is part of the program: a malformed one is a mistake in it, and traps.
  init(_ text: String) {
    precondition(text.hasPrefix("/"), "a template begins with a slash: \(text)")
    self.text = text
    segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { segment in
      if segment.hasPrefix("{"), segment.hasSuffix("}") { return .parameter(String(segment.dropFirst().dropLast())) }
      precondition(!segment.contains { "{}%?#".contains($0) }, "a segment is a literal or a parameter: \(text)")
      return .literal(String(segment))
    }
    precondition(parameterNames.count <= Self.parameterLimit, "too many parameters: \(text)")
  }

  var parameterNames: [String] {
    segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
  }

  var isLiteral: Bool { parameterNames.isEmpty }
}
