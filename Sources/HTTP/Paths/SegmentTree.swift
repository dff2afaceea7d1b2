/// Finds the numbers of templates with parameters: a tree of path segments in flat arrays, so that walking it touches
/// no reference counts.
struct SegmentTree {
  private struct Node {
    /// The first edge to a literal child, -1 for none.
    var firstEdge = -1
    /// The node behind a parameter, -1 for none.
    var parameter = -1
    /// The number of the template that ends here, -1 for none.
    var value = -1
  }

  private struct Edge {
    var nameStart: Int
    var nameLength: Int
    var node: Int
    /// The next literal of the same parent, -1 for none.
    var next: Int
  }

  private var nodes = [Node()]
  private var edges: [Edge] = []
  private var names: [UInt8] = []

  /// Adds a template with the number `value` unless there is one of its shape already; returns the number of that
  /// shape.
  mutating func insert(_ template: PathTemplate, _ value: Int) -> Int {
    var node = 0
    for segment in template.segments {
      switch segment {
      case .literal(let name): node = literalChild(of: node, Array(name.utf8))
      case .parameter: node = parameterChild(of: node)
      }
    }
    if nodes[node].value < 0 { nodes[node].value = value }
    return nodes[node].value
  }

  /// Returns the number of the template that matches a path, or nil, and appends the positions of its parameters.
  func find(_ path: RawSpan, _ parameters: inout PathParameters) -> Int? {
    guard path.byteCount > 0, path[0] == UInt8(ascii: "/") else { return nil }
    return find(path, from: 1, node: 0, &parameters)
  }

  /// Walks down from a node, at most as deep as the deepest template, and back where a literal leads nowhere.
  private func find(_ path: RawSpan, from start: Int, node: Int, _ parameters: inout PathParameters) -> Int? {
    let end = path.first(UInt8(ascii: "/"), from: start)
    if let child = literalChild(of: node, path.extracting(start..<end)),
      let value = finish(path, end, child, &parameters)
    {
      return value
    }
    let child = nodes[node].parameter
    guard child >= 0, Self.isParameterValue(path.extracting(start..<end)) else { return nil }
    parameters.append(Slice(start, upTo: end))
    if let value = finish(path, end, child, &parameters) { return value }
    parameters.removeLast()
    return nil
  }

  private func finish(_ path: RawSpan, _ end: Int, _ node: Int, _ parameters: inout PathParameters) -> Int? {
    if end < path.byteCount { return find(path, from: end + 1, node: node, &parameters) }
    return nodes[node].value >= 0 ? nodes[node].value : nil
  }

  /// Whether a segment can be a parameter: it is not empty, and no dot segment however its dots are written (RFC 3986,
  /// section 3.3).
  private static func isParameterValue(_ segment: RawSpan) -> Bool {
    if segment.byteCount == 0 { return false }
    var dots = 0
    var position = 0
    while position < segment.byteCount {
      if segment[position] == UInt8(ascii: ".") {
        position += 1
      } else if position + 3 <= segment.byteCount, segment.matchesIgnoringCase("%2e", at: position) {
        position += 3
      } else {
        return true
      }
      dots += 1
    }
    return dots > 2
  }

  private func literalChild(of node: Int, _ name: RawSpan) -> Int? {
    var edge = nodes[node].firstEdge
    while edge >= 0 {
      let candidate = edges[edge]
      if candidate.nameLength == name.byteCount,
        names.span.bytes.extracting(candidate.nameStart..<candidate.nameStart + candidate.nameLength)
          .hasSameBytes(as: name)
      {
        return candidate.node
      }
      edge = candidate.next
    }
    return nil
  }

  private mutating func literalChild(of node: Int, _ name: [UInt8]) -> Int {
    if let child = literalChild(of: node, name.span.bytes) { return child }
    nodes.append(Node())
    edges.append(
      Edge(nameStart: names.count, nameLength: name.count, node: nodes.count - 1, next: nodes[node].firstEdge))
    names += name
    nodes[node].firstEdge = edges.count - 1
    return nodes.count - 1
  }

  private mutating func parameterChild(of node: Int) -> Int {
    if nodes[node].parameter < 0 {
      nodes.append(Node())
      nodes[node].parameter = nodes.count - 1
    }
    return nodes[node].parameter
  }
}
