import Glibc
import Reactor
import Synchronization
import TestSupport

/// A TCP proxy in front of a store, on its own thread, that can freeze and cut connections and lose an answer.
package final class Proxy: Sendable {
  package enum Mode: Int {
    case forward
    /// No bytes are forwarded, while the kernel still accepts connections: what a stopped server (SIGSTOP) looks like.
    case freeze
    /// Freezes only the connections whose clients have sent a mark.
    case freezeMarked
    /// All connections are cut, also new ones.
    case refuse
    case stop
  }

  /// An answer to lose: the first that contains `answer`, of the connection that has sent `question`.
  private struct Loss {
    let question: [UInt8]
    let answer: [UInt8]
    /// The client's end of that connection, once it is known.
    var client: Int32?
  }

  package let port: UInt16
  private let listener: Int32
  private let upstream: UInt16
  private let marks: [[UInt8]]
  private let mode = Atomic<Int>(Mode.forward.rawValue)
  private let loss = Mutex<Loss?>(nil)
  private let delayMicroseconds = Atomic<UInt32>(0)

  /// Starts a proxy in front of the port `upstream` of the loopback address. A connection whose client sends one of
  /// `marks` is marked.
  package init(to upstream: UInt16, marks: [String] = []) {
    self.upstream = upstream
    self.marks = marks.map { Array($0.utf8) }
    (listener, port) = try! Loopback.listen()
    SystemThread.detached("test-proxy") { [self] in run() }
  }

  /// Starts a proxy in front of the store of a URL, which must have a port.
  package convenience init(before url: String, marks: [String] = []) throws {
    guard let port = url.split(separator: ":").last.flatMap({ UInt16($0.prefix { $0.isNumber }) }) else {
      throw SystemError("no port in \(url)")
    }
    self.init(to: port, marks: marks)
  }

  /// `url` with this proxy's port in place of the store's.
  package func url(for url: String) -> String { url.replacing(":\(upstream)", with: ":\(port)") }

  package func become(_ mode: Mode) { self.mode.store(mode.rawValue, ordering: .relaxed) }

  /// Delays each piece of an answer by `milliseconds`, those of all connections one after the other.
  package func delayAnswers(milliseconds: UInt32) { delayMicroseconds.store(milliseconds * 1_000, ordering: .relaxed) }

  /// Loses one answer and cuts its connection: the server has done what was asked, and the client never hears of it.
  package func lose(_ answer: String, to question: [UInt8]) {
    loss.withLock { $0 = Loss(question: question, answer: Array(answer.utf8)) }
  }

  /// Whether the answer that was to be lost has been lost.
  package var hasLost: Bool { loss.withLock { $0 == nil } }

  private func run() {
    // The two ends of each connection, side by side: the client's first.
    var ends: [Int32] = []
    // The clients' ends of connections that have sent a mark.
    var marked = Set<Int32>()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let mode = Mode(rawValue: mode.load(ordering: .relaxed))!
      switch mode {
      case .freeze:
        usleep(5_000)
        continue
      case .stop, .refuse:
        ends.forEach { close($0) }
        (ends, marked) = ([], [])
        if mode == .stop {
          close(listener)
          return
        }
      case .forward, .freezeMarked: break
      }
      var polled = (ends + [listener]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      if mode == .freezeMarked {
        for index in ends.indices where marked.contains(ends[index & ~1]) { polled[index].fd = -1 }
      }
      guard poll(&polled, nfds_t(polled.count), 5) > 0 else { continue }
      var closed = Set<Int>()
      for (index, entry) in polled.dropLast().enumerated() where entry.revents != 0 && !closed.contains(index / 2) {
        let count = read(entry.fd, &buffer, buffer.count)
        if index % 2 == 1 { usleep(delayMicroseconds.load(ordering: .relaxed)) }
        if index % 2 == 0, marks.contains(where: { buffer[..<max(0, count)].firstRange(of: $0) != nil }) {
          marked.insert(entry.fd)
        }
        if count <= 0 || isLost(buffer[..<count], client: ends[index & ~1], isAnswer: index % 2 == 1)
          || send(ends[index ^ 1], buffer, count, Int32(MSG_NOSIGNAL)) != count
        {
          closed.insert(index / 2)
        }
      }
      for pair in closed.sorted(by: >) {
        marked.remove(ends[pair * 2])
        close(ends[pair * 2])
        close(ends[pair * 2 + 1])
        ends.removeSubrange(pair * 2..<pair * 2 + 2)
      }
      if polled.last!.revents != 0 { ends += accepted() }
    }
  }

  /// Whether `bytes` are the answer to be lost; notes the connection that sends the question.
  private func isLost(_ bytes: ArraySlice<UInt8>, client: Int32, isAnswer: Bool) -> Bool {
    loss.withLock { loss in
      guard let wanted = loss else { return false }
      if !isAnswer, bytes.firstRange(of: wanted.question) != nil { loss?.client = client }
      guard isAnswer, wanted.client == client, bytes.firstRange(of: wanted.answer) != nil else { return false }
      loss = nil
      return true
    }
  }

  private func accepted() -> [Int32] {
    let client = accept(listener, nil, nil)
    if mode.load(ordering: .relaxed) == Mode.refuse.rawValue {
      close(client)
      return []
    }
    let server = Loopback.socket()
    if !Loopback.connect(server, to: upstream) {
      close(client)
      close(server)
      return []
    }
    return [client, server]
  }
}
