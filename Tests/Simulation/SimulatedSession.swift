import Glibc

/// One client's connection to the simulated store. Its messages are split into segments, each up to a Sync, and each
/// segment is answered as a whole.
final class SimulatedSession {
  private(set) var fd: Int32
  private var received: [UInt8] = []
  private var unsent: [UInt8] = []
  private var segment: [WireMessage] = []
  private(set) var isOpen = false
  /// Texts of the prepared statements.
  private var statements: [String: String] = [:]
  /// The segments that are still to be answered, in order, and when each is due.
  var segments: [(due: UInt64, messages: [WireMessage])] = []

  init(_ fd: Int32) { self.fd = fd }

  /// Whether the connection has ended, on either side.
  var isClosed: Bool { fd < 0 }
  /// Whether nothing is left to do.
  var isOver: Bool { isClosed && segments.isEmpty }

  /// Reads what has come, and calls `whole` for each complete segment, an empty one for the startup message. Returns
  /// whether anything came.
  func read(_ whole: ([WireMessage]) -> Void) -> Bool {
    guard !isClosed else { return false }
    let count = withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 8) { buffer in
      let count = recv(fd, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
      if count > 0 { received += buffer.prefix(count) }
      return count
    }
    if count == 0 { hangUp() }
    guard count > 0 else { return false }
    if !isOpen {
      guard WireMessage.takeStartup(&received) else { return true }
      isOpen = true
      whole([])
    }
    while let message = WireMessage.take(&received) {
      segment.append(message)
      if message.type == "S" {
        whole(segment)
        segment = []
      }
    }
    return true
  }

  /// Sends what is left and `bytes` as far as the socket takes them; returns whether it took anything.
  func send(_ bytes: [UInt8] = []) -> Bool {
    unsent += bytes
    guard !isClosed, !unsent.isEmpty else { return false }
    let count = Glibc.send(fd, unsent, unsent.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
    if count > 0 { unsent.removeFirst(count) }
    return count > 0
  }

  /// Sends what a server sends to a client that has signed in.
  func greet() {
    var answer = WireWriter()
    answer.message("R", WireWriter.number(Int32(0)))
    for (name, value) in [("server_version", "15.0"), ("client_encoding", "UTF8"), ("integer_datetimes", "on")] {
      answer.message("S", Array(name.utf8) + [0] + Array(value.utf8) + [0])
    }
    answer.message("K", WireWriter.number(Int64(1)))
    answer.message("Z", [UInt8(ascii: "I")])
    _ = send(answer.bytes)
  }

  /// The text of the statement of a Parse or a Bind.
  func text(of message: WireMessage) -> String {
    if message.type == "P" { return message.parsed.text }
    return statements[message.bound.statement] ?? ""
  }

  func prepare(_ message: WireMessage) {
    let (name, text) = message.parsed
    statements[name] = text
  }

  /// Ends a connection for both sides at once: a process that another test starts may hold a copy of the descriptor,
  /// which `close` alone would leave open.
  static func close(_ fd: Int32) {
    shutdown(fd, Int32(SHUT_RDWR))
    Glibc.close(fd)
  }

  /// Ends the connection from the server's side, and drops the segments that are not begun.
  func close() {
    hangUp()
    segments = []
  }

  /// Closes the socket, since the client has gone; the server still runs what it was sent.
  private func hangUp() {
    guard fd >= 0 else { return }
    Self.close(fd)
    fd = -1
  }
}
