import HTTP
import Testing
import Values

@testable import Watch
@testable import Web

@Suite("The routes whose duration says nothing about the server")
struct LatencyRoutesTests {
  /// Whether an endpoint's body or answer is streamed, so that its duration depends on the client's line.
  private static func isStreamed(_ endpoint: Endpoint) -> Bool {
    if case .streaming = endpoint.handler { return true }
    return endpoint.isEventStream || endpoint.success.mediaTypes == ["application/x-ndjson"]
  }

  @Test("are the probes and all that streams, for Prometheus and `terroir watch` alike")
  func selection() throws {
    let routes = try served { (template: $0.template, isProbe: $0.isProbe, isStreamed: Self.isStreamed($0)) }
      .filter { $0.template.hasPrefix("/api/") }
    #expect(Set(routes.filter(\.isProbe).map(\.template)) == Tally.probes)
    #expect(Set(routes.filter(\.isStreamed).map(\.template)) == Tally.streams)

    let rules = try Repository.text(of: "monitoring/prometheus/recording.yml")
    let selections = rules.matches(of: #/_duration_seconds_bucket{route=~"/api/\.\+",\s+route!~"([^"]+)"}/#)
    #expect(!selections.isEmpty)
    for selection in selections {
      // RE2 takes the braces of a template literally.
      let pattern = try Regex(String(selection.1).replacing("{", with: "\\{").replacing("}", with: "\\}"))
      let leftOut = Set(routes.map(\.template)).filter { $0.wholeMatch(of: pattern) != nil }
      #expect(leftOut == Tally.probes.union(Tally.streams))
    }
  }
}
