import Glibc
import JSON
import Reactor
import Synchronization
import TestSupport

/// A small HTTP server in place of a provider of language models: real sockets, scripted answers.
final class ModelServer: Sendable {
  /// How a request is answered.
  enum Answer: Sendable {
    case json(Int, String)
    /// Answers after the given seconds.
    case slow(Double, String, status: Int = 200)
    /// Closes the connection after `after` bytes of an answer.
    case cut(after: Int, String)
    /// Redirects the client to another URL.
    case redirect(String)
    /// Sends bytes that need not be HTTP.
    case raw(String)
  }

  /// A request as it came.
  struct Received: Sendable {
    let line: String
    let headers: [String: String]
    let body: [UInt8]

    var json: JSONValue { get throws { try JSONReader.parse(body) } }
  }

  let port: UInt16
  private let descriptor: Int32
  private let state = Mutex<(answers: [Answer], received: [Received])>(([], []))

  init() throws {
    (descriptor, port) = try Loopback.listen()
    let descriptor = descriptor
    SystemThread.detached("model-server") { [weak self] in
      while true {
        let client = accept(descriptor, nil, nil)
        guard client >= 0, let self else { return }
        SystemThread.detached("model-client") {
          self.serve(client)
          close(client)
        }
      }
    }
  }

  deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// Answers the next requests with `answers`, one after the other, and all further ones with 500.
  func script(_ answers: [Answer]) { state.withLock { $0 = (answers, []) } }

  /// The requests since the script was set.
  var received: [Received] { state.withLock { $0.received } }

  private func serve(_ client: Int32) {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      if let request = Self.parse(bytes) {
        let answer = state.withLock { state -> Answer in
          state.received.append(request)
          return state.answers.isEmpty ? .json(500, #"{"error":{"message":"no script"}}"#) : state.answers.removeFirst()
        }
        return give(answer, client)
      }
      let count = recv(client, &chunk, chunk.count, 0)
      if count <= 0 { return }
      bytes += chunk[..<count]
    }
  }

  private func give(_ answer: Answer, _ client: Int32) {
    switch answer {
    case .json(let status, let body): write(Self.answer(status, body), client)
    case .slow(let seconds, let body, let status):
      usleep(UInt32(seconds * 1e6))
      write(Self.answer(status, body), client)
    case .redirect(let place):
      write(Array("HTTP/1.1 302 Found\r\nLocation: \(place)\r\nContent-Length: 0\r\n\r\n".utf8), client)
    case .raw(let text): write(Array(text.utf8), client)
    case .cut(let count, let body): write(Array(Self.answer(200, body).prefix(count)), client)
    }
  }

  private func write(_ bytes: [UInt8], _ client: Int32) {
    _ = bytes.withUnsafeBytes { send(client, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL)) }
  }

  private static func answer(_ status: Int, _ body: String) -> [UInt8] {
    Array(
      """
      HTTP/1.1 \(status) Whatever\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\
      Connection: close\r\n\r\n\(body)
      """.utf8)
  }

  private static func parse(_ bytes: [UInt8]) -> Received? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
    var lines = text[..<end.lowerBound].split(separator: "\r\n")
    let line = String(lines.removeFirst())
    var headers: [String: String] = [:]
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
    }
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    let start = text[..<end.upperBound].utf8.count
    guard bytes.count >= start + length else { return nil }
    return Received(line: line, headers: headers, body: Array(bytes[start..<start + length]))
  }
}
