import CLinux
import Glibc
import Reactor
import Synchronization

@testable import Postgres

/// A TCP proxy before the server, on a thread of its own, that can freeze and cut connections.
final class Proxy: Sendable {
  enum Mode: Int {
    case forward
    /// Bytes stay where they are; the kernel still accepts connections. What a SIGSTOPped server looks like.
    case freeze
    /// Every connection is cut, and new ones as well.
    case refuse
    case stop
  }

  let port: UInt16
  private let listener: Int32
  private let upstream: UInt16
  private let mode = Atomic<Int>(Mode.forward.rawValue)

  init() throws {
    upstream = UInt16(try ConnectionString(TestDatabase.url()).endpoints[0].port) ?? 5432
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    var address = Self.loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { socketAddress in
        bind(listener, socketAddress, length) == 0 && listen(listener, 64) == 0
          && getsockname(listener, socketAddress, &length) == 0
      }
    }
    precondition(bound)
    port = UInt16(bigEndian: address.sin_port)
    SystemThread.detached("test-proxy") { [self] in run() }
  }

  func become(_ mode: Mode) { self.mode.store(mode.rawValue, ordering: .relaxed) }

  /// The test database's URL by way of this proxy.
  func url() throws -> String {
    try TestDatabase.url().replacing(":\(upstream)/", with: ":\(port)/")
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  private func run() {
    // Each connection's two ends, side by side.
    var ends: [Int32] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      switch Mode(rawValue: mode.load(ordering: .relaxed))! {
      case .freeze:
        usleep(5_000)
        continue
      case .stop, .refuse:
        ends.forEach { close($0) }
        ends = []
        if mode.load(ordering: .relaxed) == Mode.stop.rawValue {
          close(listener)
          return
        }
      case .forward: break
      }
      var polled = (ends + [listener]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      guard poll(&polled, nfds_t(polled.count), 5) > 0 else { continue }
      var closed = Set<Int>()
      for (index, entry) in polled.dropLast().enumerated() where entry.revents != 0 && !closed.contains(index / 2) {
        let count = read(entry.fd, &buffer, buffer.count)
        if count <= 0 || send(ends[index ^ 1], buffer, count, Int32(MSG_NOSIGNAL)) != count {
          closed.insert(index / 2)
        }
      }
      for pair in closed.sorted(by: >) {
        close(ends[pair * 2])
        close(ends[pair * 2 + 1])
        ends.removeSubrange(pair * 2..<pair * 2 + 2)
      }
      if polled.last!.revents != 0 { ends += accepted() }
    }
  }

  private func accepted() -> [Int32] {
    let client = accept(listener, nil, nil)
    if mode.load(ordering: .relaxed) == Mode.refuse.rawValue {
      close(client)
      return []
    }
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = Self.loopback(upstream)
    let isConnected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    precondition(isConnected)
    return [client, server]
  }
}
