import Telemetry
import Values

extension Configuration {
  /// Traces.
  package struct Tracing: Sendable {
    package internal(set) var isDisabled = false
    /// The collector as configured, without the path of a signal.
    package internal(set) var collector: ServiceURL?
    /// The whole URL for traces, when that is what is configured.
    package internal(set) var tracesURL: ServiceURL?
    package internal(set) var headers: [ExportHeader] = []
    package internal(set) var timeoutMilliseconds = 0
    package internal(set) var sampledShare = 0.0
    package internal(set) var callersTracesPerMinute = 0
    package internal(set) var jaeger: String?

    static let settings = [
      Setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT", optional: \.tracing.collector, .url("http", "https"),
        "An OpenTelemetry collector (OTLP/HTTP), to whose URL /v1/traces is appended. Without one nothing is traced."),
      Setting(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", optional: \.tracing.tracesURL, .url("http", "https"),
        "The collector's URL for traces alone, used as it is."),
      Setting(
        "OTEL_EXPORTER_OTLP_HEADERS", \.tracing.headers, Form.exportHeader.list(), default: .text(""), isSecret: true,
        "Header fields for the collector, as name=value, separated by commas."),
      Setting(
        "OTEL_EXPORTER_OTLP_TIMEOUT", \.tracing.timeoutMilliseconds, .integer(100...60_000), default: .text("10000"),
        "How long one export may take, in milliseconds."),
      Setting(
        "OTEL_TRACES_SAMPLER_ARG", \.tracing.sampledShare, .share, default: .relaxed("1.0", serious: "0.1"),
        "The share of the traces begun here that is recorded; for a caller's trace, the caller decides."),
      Setting(
        "TRACES_OF_CALLERS_PER_MINUTE", \.tracing.callersTracesPerMinute, .integer(0...1_000_000),
        default: .text("600"),
        "How many requests a minute one event loop records because a caller's `traceparent` asks for it."),
      Setting(
        "OTEL_SDK_DISABLED", \.tracing.isDisabled, .flag, default: .text("off"), "Turns the export of traces off."),
      Setting(
        "JAEGER_ENDPOINT", optional: \.tracing.jaeger, .jaeger,
        "An older Jaeger's endpoint: read as the collector on port 4318 of its host, with a warning."),
    ]

    /// Where spans are sent; nil when nothing is traced.
    package var exportURL: ServiceURL? {
      isDisabled ? nil : tracesURL ?? collector?.appending(path: "/v1/traces")
    }
  }

  /// The configuration of the exporter; nil when nothing is traced.
  package var spanExporter: SpanExporter.Configuration? {
    guard let url = tracing.exportURL else { return nil }
    var exporter = SpanExporter.Configuration(url: url)
    exporter.headers = tracing.headers.map { ($0.name, $0.value) }
    exporter.timeoutMilliseconds = tracing.timeoutMilliseconds
    return exporter
  }

  /// The resource that the spans of this process are exported with.
  package var resource: Resource {
    Resource(
      service: service.name, version: service.version, environment: deployment.rawValue, instance: machine.hostName)
  }
}

/// A header field of every export.
package struct ExportHeader: Hashable, Sendable {
  package let name: String
  package let value: String
}

extension Form where Value == String {
  /// Where a Jaeger is, with a scheme or without. Shown without its password.
  fileprivate static var jaeger: Form {
    let text = Form.text(1_024)
    return Form(parse: text.parse, show: { SecretText.masked(url: $0.contains("://") ? $0 : "http://\($0)") })
  }
}

extension Form where Value == ExportHeader {
  /// `name=value`, the value percent-encoded (W3C Baggage, as the OTLP exporter's specification has it).
  static var exportHeader: Form {
    Form(
      "name=value",
      parse: { text in
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(\.trimmingWhitespace)
        guard parts.count == 2, !parts[0].isEmpty, let value = ServiceURL.percentDecoded(parts[1][...]),
          parts[0].utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }),
          value.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        return ExportHeader(name: parts[0], value: value)
      }, show: { "\($0.name)=\($0.value)" })
  }
}
