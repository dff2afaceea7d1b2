/// A range in words for clients: `1 to 100`, `exactly 3`.
func phrase(_ count: ClosedRange<Int>) -> String {
  if count.lowerBound == count.upperBound { return "exactly \(count.lowerBound)" }
  return count.lowerBound == 0 ? "at most \(count.upperBound)" : "\(count.lowerBound) to \(count.upperBound)"
}

/// Bounds in words for clients: `between 1 and 100`, `at least 1`.
func phrase(_ range: ClosedRange<Int64>) -> String {
  if range.upperBound == Int64.max { return "at least \(range.lowerBound)" }
  if range.lowerBound == Int64.min { return "at most \(range.upperBound)" }
  return "between \(range.lowerBound) and \(range.upperBound)"
}

/// Bounds in words for clients, the numbers as JSON writes them: `between -90 and 90`.
func phrase(_ range: ClosedRange<Double>) -> String {
  let bounds = [range.lowerBound, range.upperBound].map { bound in
    String(decoding: JSONWriter.bytes(of: bound), as: UTF8.self)
  }
  return "between \(bounds[0]) and \(bounds[1])"
}
