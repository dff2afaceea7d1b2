extension Client {
  /// What the metrics say of a series, given with its labels as they stand there; 0 when they do not know it.
  func metric(_ series: String) throws -> Int {
    let lines = try get("/metrics").text.split(separator: "\n")
    return lines.first { $0.hasPrefix(series + " ") }.flatMap { Int($0.dropFirst(series.count + 1)) } ?? 0
  }
}

extension LiveServer {
  /// What the metrics say of a series, given with its labels as they stand there; 0 when they do not know it.
  func metric(_ series: String) throws -> Int { try Client(self).metric(series) }
}
