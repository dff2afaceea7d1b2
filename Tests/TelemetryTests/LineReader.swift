import Glibc
import Testing

@testable import Telemetry

/// Reads a flat JSON object, as a log line must be: its members in order, text decoded, other values as written.
///
/// It shares no code with the writer: a mistake in shared code would go unnoticed.
struct LineReader {
  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  private let bytes: [UInt8]
  private var position = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads one line without its newline.
  static func members(_ line: String) throws -> [(name: String, value: String)] { try members(Array(line.utf8)) }

  /// Reads one line without its newline.
  static func members(_ line: [UInt8]) throws -> [(name: String, value: String)] {
    var reader = LineReader(line)
    return try reader.object()
  }

  private mutating func object() throws -> [(name: String, value: String)] {
    var members: [(name: String, value: String)] = []
    try expect("{")
    repeat {
      if !members.isEmpty { position += 1 }
      let name = try string()
      try expect(":")
      members.append((name, bytes[position] == UInt8(ascii: "\"") ? try string() : try scalar()))
    } while position < bytes.count && bytes[position] == UInt8(ascii: ",")
    try expect("}")
    guard position == bytes.count else { throw Malformed(description: "bytes after the object") }
    return members
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else {
      throw Malformed(description: "no \(character) at \(position) in \(String(decoding: bytes, as: UTF8.self))")
    }
    position += 1
  }

  private mutating func scalar() throws -> String {
    let start = position
    while position < bytes.count, bytes[position] != UInt8(ascii: ","), bytes[position] != UInt8(ascii: "}") {
      position += 1
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    guard ["true", "false", "null"].contains(text) || (Double(text) != nil && text.first != "+") else {
      throw Malformed(description: "\(text) is no value")
    }
    return text
  }

  private mutating func string() throws -> String {
    try expect("\"")
    var text: [UInt8] = []
    while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
      let byte = bytes[position]
      guard byte >= 0x20 else { throw Malformed(description: "control character \(byte)") }
      position += 1
      if byte == UInt8(ascii: "\\") { text += try escape() } else { text.append(byte) }
    }
    try expect("\"")
    guard let string = String(validating: text, as: UTF8.self) else { throw Malformed(description: "not UTF-8") }
    return string
  }

  private mutating func escape() throws -> [UInt8] {
    let byte = bytes[position]
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return [10]
    case UInt8(ascii: "r"): return [13]
    case UInt8(ascii: "t"): return [9]
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): return [byte]
    case UInt8(ascii: "u"):
      let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
      guard let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code) else {
        throw Malformed(description: "bad escape \(digits)")
      }
      position += 4
      return Array(String(Character(scalar)).utf8)
    default: throw Malformed(description: "bad escape \(byte)")
    }
  }
}

/// A pipe for the lines of a sink, which gets the writing end.
struct LogPipe {
  let reading: Int32
  let writing: Int32

  init() {
    var ends: [Int32] = [0, 0]
    precondition(pipe(&ends) == 0)
    // A process that another test starts must not inherit the pipe, which would not end before that process does.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (reading, writing) = (ends[0], ends[1])
  }

  /// Closes the writing end and returns all lines up to the end of the pipe.
  func finish() -> [String] {
    close(writing)
    let lines = readToEnd()
    close(reading)
    return lines
  }

  /// All lines that come until the writing end is closed.
  func readToEnd() -> [String] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = read(reading, &chunk, chunk.count), count > 0 { bytes += chunk[..<count] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}

extension LogStyle {
  static func json(_ level: LogLevel = .trace) -> LogStyle {
    LogStyle(format: .json, level: level, service: "terroir", version: "1.2.3", environment: "test")
  }

  static func text(coloured: Bool) -> LogStyle {
    LogStyle(format: .text(coloured: coloured), level: .trace, service: "s", version: "v", environment: "e")
  }
}

/// The lines that `body` logs, as they leave the pipe.
func logged(_ style: LogStyle = .json(), _ body: (Logger) -> Void) -> [String] {
  let pipe = LogPipe()
  let sink = LogSink(style: style, descriptor: pipe.writing)
  body(Logger(sink))
  #expect(sink.close(deadlineMilliseconds: 5_000))
  return pipe.finish()
}
