import Glibc
import Reactor
import Redis
import Synchronization
import TestSupport

/// A server that is not Redis: it sends the same bytes to every client and hangs up.
final class StrangeServer: Sendable {
  let port: UInt16
  private let listener: Int32
  private let accepted = Atomic<Int>(0)
  private let thread: Mutex<SystemThread?>

  init(greeting: [UInt8]) throws {
    (listener, port) = try Loopback.listen()
    thread = Mutex(nil)
    let thread = try SystemThread(name: "strange-server") { [self] in serve(greeting) }
    self.thread.withLock { $0 = thread }
  }

  var address: RedisAddress { RedisAddress(endpoint: .tcp(host: "127.0.0.1", port: port)) }
  /// The number of connections that were accepted.
  var connections: Int { accepted.load(ordering: .relaxed) }

  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    thread.withLock { $0?.join() }
    close(listener)
  }

  private func serve(_ greeting: [UInt8]) {
    while true {
      let fd = accept(listener, nil, nil)
      guard fd >= 0 else { return }
      accepted.add(1, ordering: .relaxed)
      _ = send(fd, greeting, greeting.count, Int32(MSG_NOSIGNAL))
      close(fd)
    }
  }
}
