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
    return choose(request.headerList("Accept"), from: offered) == nil
  }

  /// The media type that the client likes best of those offered, the first of equals; nil when it excludes all.
  package static func choose(_ field: String?, from offered: [String]) -> String? {
    guard let field, !field.isEmpty else { return offered.first }
    let elements = field.lowercased().split(separator: ",").prefix(maximumElements)
    var best: (type: String, weight: Double)?
    for type in offered {
      let weight = weight(of: type, elements)
      if weight > best?.weight ?? 0 { best = (type, weight) }
    }
    return best?.type
  }

  /// The weight of the most exact range that holds a type; 0 when there is none.
  private static func weight(of type: String, _ elements: some Sequence<Substring>) -> Double {
    let family = type.prefix { $0 != "/" } + "/*"
    var found: (exactness: Int, weight: Double) = (-1, 0)
    for element in elements {
      let parts = element.split(separator: ";").map(\.trimmingSpaces)
      guard let range = parts.first else { continue }
      let exactness = range == type ? 2 : range == family ? 1 : range == "*/*" ? 0 : -1
      guard exactness > found.exactness else { continue }
      let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
      found = (exactness, min(max(weight, 0), 1))
    }
    return found.weight
  }
}
