import Telemetry
import Testing

@testable import Settings

@Test(
  "reads an old Jaeger endpoint as that of a collector, with a warning",
  arguments: [
    ("http://jaeger:14268/api/traces", "http://jaeger:4318/v1/traces"), ("jaeger:6831", "http://jaeger:4318/v1/traces"),
    ("http://[::1]:14268", "http://[::1]:4318/v1/traces"), ("jaeger", "http://jaeger:4318/v1/traces"),
  ])
func jaeger(endpoint: String, expected: String) throws {
  let configuration = try load(["JAEGER_ENDPOINT": endpoint, "JWT_SECRET": goodSecret])
  #expect(configuration.tracing.exportURL?.description == expected)
  #expect(configuration.spanExporter?.url.description == expected)
  #expect(configuration.warnings.count == 1)
  #expect(configuration.warnings[0].hasPrefix("JAEGER_ENDPOINT is read as OTEL_EXPORTER_OTLP_ENDPOINT=http://"))
}

@Test("derives the URL that spans are sent to")
func exportURL() throws {
  func url(_ variables: [String: String]) throws -> String? { try load(variables).tracing.exportURL?.description }
  let base = "OTEL_EXPORTER_OTLP_ENDPOINT"
  #expect(try url([base: "http://c:4318"]) == "http://c:4318/v1/traces")
  #expect(try url([base: "https://c/otlp/"]) == "https://c/otlp/v1/traces")
  #expect(try url(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x", base: "http://d"]) == "http://c/x")
  #expect(try url([base: "http://c", "OTEL_SDK_DISABLED": "true"]) == nil)
  #expect(try url([base: "http://c", "JAEGER_ENDPOINT": "j:1"]) == "http://c/v1/traces")
  #expect(faults(["JAEGER_ENDPOINT": "http://:x"]).count == 1)
}
