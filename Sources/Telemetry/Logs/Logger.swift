import Reactor
import Values

/// Writes the log lines of one thread, mostly a loop's: a line costs less than a microsecond and never waits.
///
/// Not Sendable: each loop makes its own. Threads without one share a `SharedLogger`. A line is visible to the
/// writing thread as soon as it is complete, so that nothing has to be flushed.
package final class Logger {
  /// Where the lines go.
  package let sink: LogSink
  private let style: LogStyle
  private let ring: ByteRing
  // Where lines are built, one at a time.
  private let memory: UnsafeMutableRawBufferPointer
  // The text of the second in which the last line was written: only its milliseconds change from line to line.
  @exclusivity(unchecked) private var timestamp: [UInt8] = []
  @exclusivity(unchecked) private var second = Int64.min

  /// A logger with at most `capacity` bytes waiting to be written.
  package convenience init(_ sink: LogSink, capacity: Int = LogSink.bytesPerLogger) {
    self.init(sink, ring: sink.makeRing(capacity: capacity))
  }

  /// A logger into a ring of the sink's own.
  init(_ sink: LogSink, ring: ByteRing) {
    self.sink = sink
    self.ring = ring
    style = sink.style
    memory = .allocate(byteCount: LogLine.memoryBytes, alignment: 64)
  }

  deinit { memory.deallocate() }

  /// Whether lines of `level` are written: ask before gathering costly fields.
  package func isEnabled(_ level: LogLevel) -> Bool { level >= style.level }

  /// Whether lines go to a terminal: there a line says the most important first, since a person sees few columns of it.
  package var isForTerminal: Bool { style.format == .text(coloured: true) }

  /// Lines of this logger that were dropped because its ring was full.
  package var droppedLines: UInt64 { ring.refusals }

  /// Writes one line, unless its level is below the log's.
  ///
  /// `message` is constant text, unless `isForTerminal`; what varies goes into fields. `unixMilliseconds` is the loop's
  /// reading of the clock, nil reads it anew. `fields` must not log with this logger.
  package func log(
    _ level: LogLevel, _ message: String, context: LogContext = LogContext(), at unixMilliseconds: Int64? = nil,
    fields: (inout LogLine) -> Void = { _ in }
  ) {
    guard level >= style.level else { return }
    setTimestamp(unixMilliseconds ?? Clock.unixMilliseconds())
    var line = LogLine(format: style.format, in: memory)
    line.begin(level, message, timestamp: timestamp, identity: style.identity, context: context)
    fields(&line)
    line.end()
    if ring.append(line.bytes.written) { sink.signal(ring) }
  }

  /// Writes a line that another program has made, with its line end, whatever its level.
  package func pass(_ line: UnsafeRawBufferPointer) {
    if ring.append(line) { sink.signal(ring) }
  }

  private func setTimestamp(_ unixMilliseconds: Int64) {
    let second = unixMilliseconds.floorDivided(by: 1_000)
    if second != self.second {
      self.second = second
      timestamp.removeAll(keepingCapacity: true)
      Timestamp(unixMilliseconds: unixMilliseconds).appendText(to: &timestamp)
      return
    }
    let milliseconds = unixMilliseconds - second * 1_000
    timestamp[20] = UInt8(ascii: "0") + UInt8(milliseconds / 100)
    timestamp[21] = UInt8(ascii: "0") + UInt8(milliseconds / 10 % 10)
    timestamp[22] = UInt8(ascii: "0") + UInt8(milliseconds % 10)
  }
}
