import Glibc
import Telemetry
import Values

extension Benchmark {
  /// The log line of a request, with all its fields.
  static let logs = [
    Benchmark("log-line-of-request", iterations: 10_000) {
      let style = LogStyle(format: .json, level: .info, service: "terroir", version: "0.1.0", environment: "production")
      // Room for all lines while instructions are counted: a dropped line costs less.
      let logger = Logger(LogSink(style: style, descriptor: open("/dev/null", O_WRONLY)), capacity: 16 << 20)
      let context = LogContext(
        trace: TraceContext(traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        requestID: "0193a1f2-6c5e-7b1a-9d3f-2a4b6c8d0e1f", userID: Identifier(high: 0x0193_A1F2_6C5E_7B1A, low: 7))
      return { count in
        for turn in 0..<count {
          logger.log(.info, "Request completed", context: context, at: 1_790_000_000_000 + Int64(turn)) { line in
            line.field("method", constant: "GET")
            line.field("route", "/api/gardens/{id}")
            line.field("path", "/api/gardens/0193a1f2-6c5e-7b1a-9d3f-2a4b6c8d0e1f")
            line.field("statusCode", 200)
            line.field("durationMs", millisecondsFrom: 1_234_567)
            line.field("bytes", 417)
            line.field("ip", "192.0.2.17")
            line.field("userAgent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
          }
        }
      }
    }
  ]
}
