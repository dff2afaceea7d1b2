/// How the lines of a process look, and what stands on every one of them.
package struct LogStyle: Sendable {
  /// The form of a line.
  package enum Format: Sendable, Equatable {
    /// One JSON object a line (RFC 8259).
    case json
    /// Text for a person at a terminal.
    case text(coloured: Bool)
  }

  package let format: Format
  /// Lines below it are not written.
  package let level: LogLevel
  /// The members that follow the message on every JSON line, ready as bytes.
  let identity: [UInt8]

  /// `service`, `version` and `environment` stand on every JSON line; text lines leave them out.
  package init(format: Format, level: LogLevel, service: String, version: String, environment: String) {
    self.format = format
    self.level = level
    guard format == .json else {
      identity = []
      return
    }
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: LogLine.memoryBytes, alignment: 8)
    defer { memory.deallocate() }
    var line = LogLine(format: .json, in: memory)
    line.field("service", service)
    line.field("version", version)
    line.field("environment", environment)
    identity = Array(line.bytes.written)
  }
}
