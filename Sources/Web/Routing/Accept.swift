import HTTP

/// Chooses the form of an answer by the request's `Accept` (RFC 9110, section 12.5.1).
package enum Accept {
  /// The most elements of the field that are considered.
  private static let maximumElements = 32

  /// Whether a client accepts none of the offered types. Nearly all send no `Accept`, `*/*` or JSON, which costs
  /// little.
  static func excludesAll(of offered: [String], _ request: Request) -> Bool {
    let isUsual = request.withHeader("Accept") { field in
      field.elementsEqual("*/*".utf8)
        || offered.first == "application/json" && field.elementsEqual("application/json".utf8)
    }
    if isUsual ?? true || offered.isEmpty { return false }
    let field = request.headerList("Accept")
    return choose(field, from: offered) == nil && !namesProblems(field)
  }

  /// Whether the field names the media type of problems, in which any route may answer.
  ///
  /// Clients that are generated from the OpenAPI document name it alone where a route has no other answer that they can
  /// decode, such as an event stream: nothing of it is excluded, and its success comes as it would without the field.
  package static func namesProblems(_ field: String?) -> Bool {
    ranges(field ?? "").contains { $0.name == Problem.mediaType && $0.weight > 0 }
  }

  /// The media type that the client likes best of those offered, the first of equals; nil when it excludes all.
  package static func choose(_ field: String?, from offered: [String]) -> String? {
    guard let field, !field.isEmpty else { return offered.first }
    let ranges = ranges(field)
    var best: (type: String, weight: Double)?
    for type in offered {
      let weight = weight(of: type, ranges)
      if weight > best?.weight ?? 0 { best = (type, weight) }
    }
    return best?.type
  }

  /// The weight of the most exact range that holds a type; 0 when there is none.
  private static func weight(of type: String, _ ranges: [MediaRange]) -> Double {
    let family = type.prefix { $0 != "/" } + "/*"
    var found: (exactness: Int, weight: Double) = (-1, 0)
    for range in ranges {
      let exactness = range.name == type ? 2 : range.name == family ? 1 : range.name == "*/*" ? 0 : -1
      if exactness > found.exactness { found = (exactness, range.weight) }
    }
    return found.weight
  }

  /// A media range in lower case, with its weight from 0 to 1.
  private typealias MediaRange = (name: String, weight: Double)

  private static func ranges(_ field: String) -> [MediaRange] {
    field.lowercased().split(separator: ",").prefix(maximumElements).compactMap { element in
      let parts = element.split(separator: ";").map(\.trimmingSpaces)
      guard let name = parts.first else { return nil }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
      return (name, min(max(weight, 0), 1))
    }
  }
}
