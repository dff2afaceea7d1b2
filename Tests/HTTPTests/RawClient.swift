import Glibc
import TestSupport

@testable import HTTP

/// A blocking client that sends any bytes, however malformed.
final class RawClient {
  /// How long the client waits for the server, in seconds.
  static let timeoutSeconds = 60

  let fd: Int32
  let isConnected: Bool
  // Keeps the server running for as long as it has clients.
  private let server: LiveServer
  private var received: [UInt8] = []

  init(_ server: LiveServer, receiveBuffer: Int32? = nil) {
    self.server = server
    fd = Loopback.socket()
    if var size = receiveBuffer { setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, 4) }
    var timeout = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    var on: Int32 = 1
    setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    isConnected = Loopback.connect(fd, to: server.port)
  }

  deinit { close(fd) }

  /// Sends all of `bytes`; returns false if the server reads no more.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(fd, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return false }
      sent += count
    }
    return true
  }

  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  /// Sends a GET without further fields.
  func get(_ path: String) { send("GET \(path) HTTP/1.1\r\nHost: test\r\n\r\n") }

  func endSending() { shutdown(fd, Int32(SHUT_WR)) }

  /// Closes the connection with a reset.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    // Another socket takes over the descriptor, so that `deinit` does not close one that was opened since.
    let other = Loopback.socket()
    dup2(other, fd)
    close(other)
  }

  /// Receives some bytes; returns how many, 0 at the end, negative for an error or after `timeoutSeconds`.
  func receiveSome() -> Int {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(fd, &buffer, buffer.count, 0)
    if count > 0 { received += buffer[..<count] }
    return count
  }

  /// Everything up to the end of the connection; nil if it ended with a reset or not at all.
  func receiveAll() -> String? {
    while true {
      let count = receiveSome()
      if count < 0 { return nil }
      if count == 0 { break }
    }
    defer { received = [] }
    return String(decoding: received, as: UTF8.self)
  }

  struct Answer: Equatable {
    var status: Int
    var fields: [String: String]
    var body: String
  }

  /// The next whole answer; a body without length or chunks ends with the connection.
  func answer(toHead: Bool = false) -> Answer? {
    guard let head = take(through: "\r\n\r\n") else { return nil }
    var lines = head.split(separator: "\r\n")
    guard let status = Int(lines.removeFirst().split(separator: " ")[1]) else { return nil }
    var fields: [String: String] = [:]
    for line in lines {
      let parts = line.split(separator: ": ", maxSplits: 1)
      fields[parts[0].lowercased()] = parts.count > 1 ? String(parts[1]) : ""
    }
    var answer = Answer(status: status, fields: fields, body: "")
    if toHead || status < 200 || status == 204 || status == 304 { return answer }
    if let length = fields["content-length"].flatMap({ Int($0) }) {
      guard let body = take(length) else { return nil }
      answer.body = body
    } else if fields["transfer-encoding"] == "chunked" {
      while true {
        guard let line = take(through: "\r\n"), let size = Int(line.dropLast(1), radix: 16), let piece = take(size + 2)
        else { return nil }
        if size == 0 { break }
        answer.body += piece.dropLast(1)
      }
    } else {
      guard let rest = receiveAll() else { return nil }
      answer.body = rest
    }
    return answer
  }

  private func take(_ count: Int) -> String? {
    while received.count < count { if receiveSome() <= 0 { return nil } }
    defer { received.removeFirst(count) }
    return String(decoding: received[..<count], as: UTF8.self)
  }

  private func take(through mark: String) -> String? {
    let mark = Array(mark.utf8)
    var start = 0
    while true {
      while start + mark.count <= received.count {
        if Array(received[start..<start + mark.count]) == mark { return take(start + mark.count) }
        start += 1
      }
      if receiveSome() <= 0 { return nil }
    }
  }
}
