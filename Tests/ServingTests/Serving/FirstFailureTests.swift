import Testing

@testable import Web

/// A rise is seen only against a value that was scraped before, so counters of failures must exist before the first.
@Suite("The first failure after a start", .blocking)
struct FirstFailureTests {
  private static let exposition = Result { () throws -> Set<Substring> in
    let server = try LiveServer()
    defer { server.stop() }
    return Set(try Wire(port: server.port).get("/metrics").text.split(separator: "\n"))
  }

  @Test(
    "is seen, since every answer of every route is counted from zero",
    arguments: [
      ("GET", "/api/gardens", [200, 304, 429, 500, 503]),
      ("POST", "/api/sessions", [201, 400, 401, 422, 429, 500, 503]),
      ("POST", "/api/devices/{id}/readings", [200, 401, 403, 404, 413, 500, 503]),
    ])
  func routes(_ method: String, _ route: String, _ statuses: [Int]) throws {
    let lines = try Self.exposition.get()
    for status in statuses {
      let labels =
        "method=\"\(method)\",route=\"\(route)\",status=\"\(status)\",status_code=\"\(status)\",status_class=\"\(status / 100)xx\""
      let isThere = lines.contains("http_requests_total{\(labels)} 0")
      #expect(isThere, "\(labels)")
    }
  }

  @Test("is seen by its cause too, in what users do and in the duties")
  func others() throws {
    let lines = try Self.exposition.get()
    for series in [
      "application_errors_total{route=\"/api/gardens\",error_type=\"service-unavailable\"}",
      "user_actions_total{action=\"login_failed\",has_user=\"false\"}",
      "housekeeping_runs_total{duty=\"readings.partitions.make\",result=\"failed\"}",
      "rollup_refused_total{part=\"bucket\"}", "rollup_refused_total{part=\"additions\"}",
    ] {
      let isThere = lines.contains("\(series) 0")
      #expect(isThere, "\(series)")
    }
  }

  @Test("takes up at most two thirds of the series that are allowed")
  func bound() throws {
    let count = try Self.exposition.get().count { $0.hasPrefix("http_requests_total{") }
    #expect(count * 3 <= RequestInstruments.maximumSeries * 2)
  }
}
