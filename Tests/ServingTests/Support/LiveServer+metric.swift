extension Client {
  /// The value of `series`, which is written with its labels as in the metrics; 0 if they do not have it.
  func metric(_ series: String) throws -> Int {
    let lines = try get("/metrics").text.split(separator: "\n")
    return lines.first { $0.hasPrefix(series + " ") }.flatMap { Int($0.dropFirst(series.count + 1)) } ?? 0
  }
}

extension LiveServer {
  /// The value of `series`, which is written with its labels as in the metrics; 0 if they do not have it.
  func metric(_ series: String) throws -> Int { try Client(self).metric(series) }
}
