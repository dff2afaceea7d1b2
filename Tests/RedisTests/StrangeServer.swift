import Glibc
import Reactor
import Redis
import Synchronization
import Testing

/// A server that says the same thing to everyone and hangs up: no Redis.
final class StrangeServer: Sendable {
  let port: UInt16
  private let listener: Int32
  private let accepted = Atomic<Int>(0)
  private let thread: Mutex<SystemThread?>

  init(greeting: [UInt8]) throws {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(fd, $0, length) == 0 && listen(fd, 16) == 0 && getsockname(fd, $0, &length) == 0
      }
    }
    try #require(isListening)
    listener = fd
    port = UInt16(bigEndian: address.sin_port)
    thread = Mutex(nil)
    let thread = try SystemThread(name: "strange-server") { [self] in serve(greeting) }
    self.thread.withLock { $0 = thread }
  }

  var address: RedisAddress { RedisAddress(endpoint: .tcp(host: "127.0.0.1", port: port)) }
  /// How many have connected.
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
