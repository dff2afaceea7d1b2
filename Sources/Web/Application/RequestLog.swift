import HTTP
import Telemetry

/// The log line that every request leaves.
enum RequestLog {
  /// Writes `Request completed`, or on a terminal what was completed. The line of an answer of 500 or above says the
  /// cause.
  static func write(_ call: Call, _ summary: Finished, to logger: Logger) {
    let level = severity(of: summary)
    guard logger.isEnabled(level) else { return }
    let context = LogContext(trace: call.trace, requestID: call.requestID, userID: call.userID)
    let isForTerminal = logger.isForTerminal
    let message = isForTerminal ? headline(call.request, summary) : "Request completed"
    logger.log(level, message, context: context, at: call.context.loop.unixMilliseconds) { line in
      let request = call.request
      if !isForTerminal {
        line.field("method", constant: request.method.name)
        line.field("route", call.endpoint?.endpoint.template ?? "unmatched")
        line.field("path", LogRedaction.path(request.target))
        line.field("statusCode", Int(summary.status.rawValue))
        line.field("durationMs", millisecondsFrom: summary.durationNanoseconds)
      }
      line.field("bytes", summary.bytesOut)
      line.field("ip", call.clientAddress.text)
      _ = request.withHeader("User-Agent") { line.field("userAgent", utf8: $0) }
      if summary.isDropped { line.field("dropped", true) }
      if let problem = call.problem {
        line.field("problem", problem.code.rawValue)
        if summary.status.rawValue >= 500 {
          line.field("detail", problem.detail)
          line.field("limit", problem.limit?.rawValue)
        }
        line.field("cause", problem.cause)
      }
    }
  }

  /// `200 GET /api/gardens 2.3 ms`.
  private static func headline(_ request: Request, _ summary: Finished) -> String {
    let tenths = (summary.durationNanoseconds + 50_000) / 100_000
    return "\(summary.status.rawValue) \(request.method.name) \(LogRedaction.path(request.target))"
      + " \(tenths / 10).\(tenths % 10) ms"
  }

  /// 500 is an error. Any other answer above it is a warning: a store is away, a bound was reached, or a probe reports
  /// ill health.
  private static func severity(of summary: Finished) -> LogLevel {
    if summary.status.rawValue < 500 { return .info }
    return summary.status == .internalServerError ? .error : .warning
  }
}
