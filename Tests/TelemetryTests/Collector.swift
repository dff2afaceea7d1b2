import Glibc
import Reactor
import Synchronization
import TestSupport

@testable import Telemetry
import Values

/// A small HTTP server on a real socket that answers as scripted and keeps the requests that it was sent.
final class Collector: Sendable {
  /// How one connection is treated.
  enum Behaviour: Sendable {
    /// A request is read and answered with these bytes, and the connection is closed.
    case bytes(String)
    /// A request is read, and the connection is closed after 400 ms without an answer.
    case silent
    /// The connection is closed at once.
    case cut

    static func status(_ status: Int, headers: String = "", body: [UInt8] = []) -> Behaviour {
      .bytes(
        "HTTP/1.1 \(status) X\r\nContent-Length: \(body.count)\r\n\(headers)\r\n"
          + String(decoding: body, as: UTF8.self))
    }
  }

  struct Received: Sendable {
    let head: String
    let body: [UInt8]
  }

  let port: UInt16
  private let fd: Int32
  private let script: Mutex<[Behaviour]>
  private let requests = Mutex<[Received]>([])
  private let stopped = Wake()

  /// Starts a server that treats one connection after the other by `script`, and all further ones by its last entry.
  init(_ script: [Behaviour]) {
    self.script = Mutex(script)
    (fd, port) = try! Loopback.listen()
    SystemThread.detached("collector") { [self] in serve() }
  }

  var url: ServiceURL { ServiceURL(scheme: "http", host: "127.0.0.1", port: port, path: "/v1/traces") }

  var received: [Received] { requests.withLock { $0 } }

  /// Stops the server; further connections are refused.
  func stop() {
    shutdown(fd, Int32(SHUT_RDWR))
    stopped.wait(milliseconds: 5_000)
    close(fd)
  }

  private func serve() {
    while case let connection = accept(fd, nil, nil), connection >= 0 {
      answer(connection)
      close(connection)
    }
    stopped.call()
  }

  private func answer(_ connection: Int32) {
    let behaviour = script.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
    if case .cut = behaviour { return }
    guard let request = read(connection) else { return }
    requests.withLock { $0.append(request) }
    switch behaviour {
    case .bytes(let text):
      for byte in text.utf8 {
        // Byte by byte, so that the parser sees every way of cutting an answer.
        var byte = byte
        send(connection, &byte, 1, Int32(MSG_NOSIGNAL))
      }
    case .silent: usleep(400_000)
    case .cut: return
    }
  }

  private func read(_ connection: Int32) -> Received? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = recv(connection, &chunk, chunk.count, 0), count > 0 {
      bytes += chunk[..<count]
      guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: [13, 10, 13, 10]) }) else { continue }
      let head = String(decoding: bytes[..<end], as: UTF8.self)
      let length = head.split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }.map {
        Int($0.dropFirst(16))!
      }
      if bytes.count - end - 4 >= length ?? 0 { return Received(head: head, body: Array(bytes[(end + 4)...])) }
    }
    return nil
  }
}

/// The spans of an export, decoded with as much of opentelemetry-proto as tests compare.
struct ExportedSpans {
  private(set) var resource: [String: String] = [:]
  private(set) var scope: [String] = []
  private(set) var spans: [[UInt64: [ProtobufReader.Value]]] = []

  init(_ body: [UInt8]) {
    for resourceSpans in Self.messages(body[...], 1) {
      for resource in Self.messages(resourceSpans, 1) {
        for attribute in Self.messages(resource, 1) {
          let (key, value) = Self.attribute(attribute)
          self.resource[key] = value
        }
      }
      for scopeSpans in Self.messages(resourceSpans, 2) {
        scope = Self.messages(scopeSpans, 1).flatMap { scope in
          [1, 2].flatMap { Self.messages(scope, $0) }.map { String(decoding: $0, as: UTF8.self) }
        }
        spans += Self.messages(scopeSpans, 2).map(Self.fields)
      }
    }
  }

  /// A span's attributes as text.
  func attributes(_ index: Int) -> [String: String] {
    var found: [String: String] = [:]
    for case .bytes(let attribute) in spans[index][9] ?? [] {
      let (key, value) = Self.attribute(attribute)
      found[key] = value
    }
    return found
  }

  func text(_ index: Int, _ field: UInt64) -> String? {
    guard case .bytes(let bytes)? = spans[index][field]?.first else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  func bytes(_ index: Int, _ field: UInt64) -> [UInt8]? {
    guard case .bytes(let bytes)? = spans[index][field]?.first else { return nil }
    return Array(bytes)
  }

  func number(_ index: Int, _ field: UInt64) -> UInt64? {
    guard case .number(let number)? = spans[index][field]?.first else { return nil }
    return number
  }

  static func fields(_ bytes: ArraySlice<UInt8>) -> [UInt64: [ProtobufReader.Value]] {
    var reader = ProtobufReader(bytes)
    var fields: [UInt64: [ProtobufReader.Value]] = [:]
    while let (field, value) = reader.next() { fields[field, default: []].append(value) }
    return fields
  }

  private static func messages(_ bytes: ArraySlice<UInt8>, _ field: UInt64) -> [ArraySlice<UInt8>] {
    (fields(bytes)[field] ?? []).compactMap { if case .bytes(let bytes) = $0 { bytes } else { nil } }
  }

  private static func attribute(_ bytes: ArraySlice<UInt8>) -> (String, String) {
    let key = String(decoding: messages(bytes, 1)[0], as: UTF8.self)
    guard
      let (field, value) = {
        var reader = ProtobufReader(messages(bytes, 2)[0]); return reader.next()
      }()
    else {
      return (key, "")
    }
    switch (field, value) {
    case (1, .bytes(let text)): return (key, String(decoding: text, as: UTF8.self))
    case (2, .number(let number)): return (key, number == 1 ? "true" : "false")
    case (3, .number(let number)): return (key, "\(Int64(bitPattern: number))")
    case (4, .number(let number)): return (key, "\(Double(bitPattern: number))")
    default: return (key, "?")
    }
  }
}
