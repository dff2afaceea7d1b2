import CLinux
import Glibc
import Reactor

/// Makes, or inherits, sockets to listen on.
package enum ListeningSocket {
  /// The most connections that the kernel holds before they are accepted, unless net.core.somaxconn is less.
  static let backlog: Int32 = 4_096

  /// The first inherited descriptor (sd_listen_fds(3)).
  package static let firstInherited: Int32 = 3
  /// The most sockets that are inherited.
  static let inheritedAtMost: Int32 = 1_024

  /// Opens a listening socket at a numeric IPv4 or IPv6 address; port 0 lets the kernel choose. Throws EADDRINUSE if
  /// another socket listens there, and EINVAL if `host` is not an address.
  package static func open(host: String, port: UInt16) throws(SystemError) -> Int32 {
    try listening(try bound(host: host, port: port))
  }

  /// Opens one more socket that listens where `other` does: the kernel distributes connections among them
  /// (SO_REUSEPORT), so that each loop has its own.
  package static func open(host: String, beside other: Int32) throws(SystemError) -> Int32 {
    // Only now: a socket that shares from the start would join whatever process listens there.
    try set(other, SOL_SOCKET, SO_REUSEPORT, 1)
    return try listening(try bound(host: host, port: port(of: other), isShared: true))
  }

  /// Starts listening on a bound socket and returns it; closes it if that fails.
  private static func listening(_ fd: Int32) throws(SystemError) -> Int32 {
    do throws(SystemError) {
      try startListening(fd)
      return fd
    } catch {
      close(fd)
      throw error
    }
  }

  /// Starts listening on a bound socket. Throws EADDRINUSE if another socket listens there by now.
  package static func startListening(_ fd: Int32) throws(SystemError) {
    _ = try checked("listen") { listen(fd, backlog) }
  }

  /// Makes a socket bound to a numeric IPv4 or IPv6 address, at which connections are refused until it listens; `::`
  /// takes IPv4 too. Throws EADDRINUSE if another socket listens there, unless both are shared.
  package static func bound(host: String, port: UInt16, isShared: Bool = false) throws(SystemError) -> Int32 {
    guard let address = PeerAddress(host) else { throw SystemError("inet_pton", code: EINVAL) }
    let isV4 = address.isV4 && !host.contains(":")
    let fd = try checked("socket") {
      socket(isV4 ? AF_INET : AF_INET6, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }
    do throws(SystemError) {
      try set(fd, SOL_SOCKET, SO_REUSEADDR, 1)
      if isShared { try set(fd, SOL_SOCKET, SO_REUSEPORT, 1) }
      if !isV4 { try set(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
      try bind(fd, address, port, isV4: isV4)
      return fd
    } catch {
      close(fd)
      throw error
    }
  }

  /// Returns the listening sockets that a service manager or a predecessor has passed on (sd_listen_fds(3)), oldest
  /// first.
  ///
  /// The variables are cleared, so that no child takes the descriptors for its own.
  package static func inherited() -> [Int32] {
    defer {
      unsetenv("LISTEN_PID")
      unsetenv("LISTEN_FDS")
      unsetenv("LISTEN_FDNAMES")
    }
    guard let pid = getenv("LISTEN_PID"), Int32(String(cString: pid)) == getpid(),
      let text = getenv("LISTEN_FDS"), let count = Int32(String(cString: text)), (1...inheritedAtMost).contains(count)
    else { return [] }
    return (firstInherited..<firstInherited + count).filter { fd in
      var isListening: Int32 = 0
      var length = socklen_t(MemoryLayout<Int32>.size)
      guard getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length) == 0, isListening == 1 else {
        return false
      }
      _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
      _ = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)
      return true
    }
  }

  /// The port that a socket is bound to.
  package static func port(of fd: Int32) -> UInt16 {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    _ = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(fd, $0, &length) }
    }
    return PeerAddress(storage).port
  }

  private static func set(_ fd: Int32, _ level: Int32, _ name: Int32, _ value: Int32) throws(SystemError) {
    var value = value
    _ = try checked("setsockopt") { setsockopt(fd, level, name, &value, socklen_t(MemoryLayout<Int32>.size)) }
  }

  /// Binds a socket of the address's family to an address and port.
  package static func bind(_ fd: Int32, _ address: PeerAddress, _ port: UInt16, isV4: Bool) throws(SystemError) {
    var v4 = sockaddr_in()
    v4.sin_family = sa_family_t(AF_INET)
    v4.sin_port = port.bigEndian
    v4.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.low).bigEndian
    var v6 = sockaddr_in6()
    v6.sin6_family = sa_family_t(AF_INET6)
    v6.sin6_port = port.bigEndian
    withUnsafeMutableBytes(of: &v6.sin6_addr) {
      $0.storeBytes(of: address.high.bigEndian, as: UInt64.self)
      $0.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    func bind(_ address: UnsafeRawBufferPointer) -> Int32 {
      Glibc.bind(fd, address.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(address.count))
    }
    _ = try checked("bind") { isV4 ? withUnsafeBytes(of: v4, bind) : withUnsafeBytes(of: v6, bind) }
  }
}
