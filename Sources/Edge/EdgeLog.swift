import Glibc
import HTTP
import JSON
import Reactor
import Telemetry

/// Receives nginx's log, which comes by syslog (RFC 3164) in datagrams: passes every line on, and counts the answers
/// that lines tell of.
///
/// nginx never waits for a datagram, so that a log that stalls delays no request. Here nothing waits either: lines that
/// the reader of this process is too slow for are dropped and counted.
final class EdgeLog: EventHandler {
  /// The longest datagram, in bytes: more than nginx makes of the longest head that it takes.
  static let maximumBytes = 64 * 1024
  /// The most datagrams read in one turn, so that metrics are served in between.
  static let datagramsPerTurn = 256

  private let socket: Int32
  private let logger: Logger
  private let answers: EdgeAnswers
  private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: maximumBytes, alignment: 8)

  /// Reads from a non-blocking datagram socket, which it closes at its end.
  init(socket: Int32, logger: Logger, answers: EdgeAnswers) {
    self.socket = socket
    self.logger = logger
    self.answers = answers
  }

  deinit {
    close(socket)
    memory.deallocate()
  }

  func ready(_ readiness: Readiness) {
    for _ in 0..<Self.datagramsPerTurn {
      let count = retrying { recv(socket, memory.baseAddress, Self.maximumBytes, 0) }
      guard count > 0 else { return }
      take(UnsafeRawBufferPointer(rebasing: memory[..<count]))
    }
  }

  /// One datagram: `<190>Nov 28 17:00:00 nginx: TEXT`, in which the first colon before a space ends the tag.
  private func take(_ datagram: UnsafeRawBufferPointer) {
    guard let colon = datagram.indices.dropLast().first(where: { datagram[$0] == 0x3A && datagram[$0 + 1] == 0x20 })
    else { return }
    let text = UnsafeRawBufferPointer(rebasing: datagram[(colon + 2)...])
    let line = text.allSatisfy { $0 < 0x7F } ? Array(text) : Self.cleaned(text)
    if let value = try? JSONReader.parse(line), case .object(let members) = value {
      answers.count(members)
      (line + [UInt8(ascii: "\n")]).withUnsafeBytes { logger.pass($0) }
    } else {
      // Such a line quotes the request as it came, and the page that it came from.
      let detail = LogRedaction.line(String(decoding: text, as: UTF8.self))
      logger.log(Self.level(text), "nginx complains") { $0.field("detail", detail) }
    }
  }

  /// A line of the access log in UTF-8, with DEL and C1 escaped, which terminals obey: nginx writes these characters of
  /// a client as they came. JSON has them in strings only.
  private static func cleaned(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    var line = ""
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      if (0x7F...0x9F).contains(scalar.value) {
        line += "\\u00\(String(scalar.value, radix: 16))"
      } else {
        line.unicodeScalars.append(scalar)
      }
    }
    return Array(line.utf8)
  }

  /// The level of a line of the error log: `2026/11/28 17:00:00 [error] 7#7: …`.
  private static func level(_ text: UnsafeRawBufferPointer) -> LogLevel {
    guard let bracket = text.firstIndex(of: UInt8(ascii: "[")) else { return .info }
    return switch String(decoding: text[(bracket + 1)...].prefix { $0 != UInt8(ascii: "]") }, as: UTF8.self) {
    case "emerg", "alert", "crit", "error": .error
    case "warn": .warning
    default: .info
    }
  }
}
