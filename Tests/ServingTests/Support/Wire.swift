import Glibc
import TestSupport

/// A blocking TCP connection to the server under test, and a plain reader of HTTP/1.1 answers.
final class Wire {
  /// How long a read may wait before the test fails, in seconds.
  static let timeoutSeconds = 60

  private let fd: Int32
  private var buffer: [UInt8] = []

  /// Connects. `receiveBytes` can make the kernel's receive buffer small, for a slow client, and `sendBytes` its send
  /// buffer, for a client that is never far ahead of the server.
  init(port: UInt16, receiveBytes: Int32? = nil, sendBytes: Int32? = nil) throws {
    fd = Loopback.socket()
    if var sendBytes { setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sendBytes, 4) }
    if var receiveBytes { setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receiveBytes, 4) }
    var timeout = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    if !Loopback.connect(fd, to: port) { throw WireError.refused(errno) }
  }

  deinit { close(fd) }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(fd, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { throw WireError.closed }
      sent += count
    }
  }

  /// Shuts down the sending side.
  func finishSending() { shutdown(fd, Int32(SHUT_WR)) }

  /// Reads one answer; `hasBody` is false for HEAD.
  func receive(hasBody: Bool = true) throws -> Reply {
    let head = String(decoding: try take(until: Array("\r\n\r\n".utf8)), as: UTF8.self)
    var lines = head.split(separator: "\r\n").map(String.init)
    let statusLine = lines.removeFirst().split(separator: " ", maxSplits: 2)
    guard statusLine.count >= 2, let status = Int(statusLine[1]) else { throw WireError.notHTTP(head) }
    let headers = lines.map { line in
      let colon = line.firstIndex(of: ":")!
      return (String(line[..<colon]).lowercased(), line[line.index(after: colon)...].drop { $0 == " " })
    }.map { (name: $0.0, value: String($0.1)) }
    var reply = Reply(status: status, headers: headers, body: [])
    if status == 100 { return try receive(hasBody: hasBody) }
    guard hasBody, status != 204, status != 304 else { return reply }
    if reply.header("transfer-encoding") == "chunked" {
      while let chunk = try takeChunk() { reply.body += chunk }
    } else if let length = reply.header("content-length").flatMap(Int.init) {
      reply.body = try take(length)
    } else {
      while let more = try read() { reply.body += more }
    }
    return reply
  }

  /// Reads up to and including `mark`.
  func take(until mark: [UInt8]) throws -> [UInt8] {
    var searched = 0
    while true {
      if buffer.count >= mark.count {
        for start in searched...(buffer.count - mark.count) where Array(buffer[start..<start + mark.count]) == mark {
          return try take(start + mark.count)
        }
        searched = buffer.count - mark.count + 1
      }
      try readMore()
    }
  }

  /// Reads the next chunk of a chunked body; nil at its end.
  func takeChunk() throws -> [UInt8]? {
    let line = String(decoding: try take(until: Array("\r\n".utf8)).dropLast(2), as: UTF8.self)
    guard let size = Int(line, radix: 16) else { throw WireError.notHTTP(line) }
    let chunk = try take(size)
    _ = try take(2)
    return size == 0 ? nil : chunk
  }

  /// Waits until the server sends something or closes the connection; returns whether it has closed it.
  func isClosed() throws -> Bool {
    if buffer.isEmpty { buffer = try read() ?? [] }
    return buffer.isEmpty
  }

  /// Reads `count` bytes.
  func take(_ count: Int) throws -> [UInt8] {
    while buffer.count < count { try readMore() }
    let taken = Array(buffer[..<count])
    buffer.removeFirst(count)
    return taken
  }

  /// Reads what has come, or waits for what comes next; throws at the end.
  private func readMore() throws {
    guard let more = try read() else { throw WireError.closed }
    buffer += more
  }

  /// What has come, or the next bytes to come; nil at the end.
  private func read() throws -> [UInt8]? {
    var isSilent = false
    let chunk = [UInt8](unsafeUninitializedCapacity: 65_536) { pointer, count in
      let received = recv(fd, pointer.baseAddress, 65_536, 0)
      isSilent = received < 0 && errno == EAGAIN
      count = max(0, received)
    }
    if isSilent { throw WireError.silent(seconds: Self.timeoutSeconds) }
    return chunk.isEmpty ? nil : chunk
  }
}

enum WireError: Error {
  case refused(Int32)
  case closed
  /// The server has neither sent anything nor closed the connection.
  case silent(seconds: Int)
  case notHTTP(String)
}

/// An HTTP answer as a test sees it.
struct Reply {
  let status: Int
  let headers: [(name: String, value: String)]
  var body: [UInt8]

  /// The first header called `name`, which is in lower case.
  func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

  var text: String { String(decoding: body, as: UTF8.self) }
}
