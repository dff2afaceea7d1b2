import Synchronization

/// A logger for the threads that have none of their own. Its lock is held while a line is built, so loops do not use
/// it.
package final class SharedLogger: Sendable {
  // Invariant 4: the logger is used only under the mutex.
  private struct Guarded: @unchecked Sendable {
    let logger: Logger
  }

  private let guarded: Mutex<Guarded>

  /// A shared logger with a ring of its own.
  package init(_ sink: LogSink) { guarded = Mutex(Guarded(logger: Logger(sink))) }

  /// Writes one line; see `Logger.log`.
  package func log(
    _ level: LogLevel, _ message: String, context: LogContext = LogContext(),
    fields: (inout LogLine) -> Void = { _ in }
  ) {
    guarded.withLock { $0.logger.log(level, message, context: context, fields: fields) }
  }
}
