import Glibc
import Reactor

/// TCP sockets of the loopback address, for servers and clients that tests make up.
package enum Loopback {
  /// A TCP socket, neither bound nor connected.
  package static func socket() -> Int32 { Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }

  /// Connects a socket to a port; returns false if that fails, with the reason in `errno`.
  package static func connect(_ socket: Int32, to port: UInt16) -> Bool {
    withAddress(port) { Glibc.connect(socket, $0, $1) == 0 }
  }

  /// A socket that listens on a port which the kernel chose, and that port.
  package static func listen() throws(SystemError) -> (socket: Int32, port: UInt16) {
    let socket = socket()
    guard withAddress(0, { bind(socket, $0, $1) == 0 }), Glibc.listen(socket, 64) == 0 else {
      throw SystemError("listen")
    }
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
    }
    if code != 0 { throw SystemError("getsockname") }
    return (socket, UInt16(bigEndian: address.sin_port))
  }

  /// A free port below those that the kernel gives to connections (net.ipv4.ip_local_port_range): one of the many
  /// connections of tests could take such a port before the server does, or while it is away. The ports of the stores,
  /// and of scripts that start some, are lower still (scripts/stores).
  package static func freePort() throws(SystemError) -> UInt16 {
    for _ in 0..<1_000 {
      let port = UInt16.random(in: 26_000..<32_000)
      let socket = socket()
      defer { close(socket) }
      if withAddress(port, { bind(socket, $0, $1) == 0 }) { return port }
    }
    throw SystemError("bind")
  }

  private static func withAddress<Result>(
    _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}
