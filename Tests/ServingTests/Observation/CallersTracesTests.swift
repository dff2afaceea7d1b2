import Testing

@Suite("Traces that callers ask for", .blocking)
struct CallersTracesTests {
  @Test("are recorded for a bounded number of requests, whoever asks")
  func bound() throws {
    let server = try LiveServer(["TRACES_OF_CALLERS_PER_MINUTE": "2", "WORKERS": "1"])
    defer { server.stop() }
    let client = Client(server)
    // Low ids, as a stranger would choose them, which the sampled share of our own traces would let in.
    let traces = (1...6).map { "0000000000000000000000000000000\($0)" }
    for trace in traces {
      let reply = try client.get("/version", headers: ["traceparent: 00-\(trace)-00f067aa0ba902b7-01"])
      #expect(reply.status == 200)
    }
    let metrics = try client.get("/metrics", headers: ["Accept: application/openmetrics-text"]).text
    let recorded = traces.filter { metrics.contains("trace_id=\"\($0)\"") }
    #expect(!recorded.isEmpty && Set(recorded).isSubset(of: traces.prefix(2)), "\(recorded)")
  }
}
