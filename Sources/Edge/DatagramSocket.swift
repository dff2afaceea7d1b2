import Glibc
import HTTP
import Reactor

/// A socket that datagrams come in on.
enum DatagramSocket {
  /// What the kernel holds of datagrams not read yet, in bytes, unless net.core.rmem_max says less; what comes beyond
  /// it is lost.
  static let bufferBytes: Int32 = 1 << 20

  /// Opens one at a numeric address.
  static func open(host: String, port: UInt16) throws(SystemError) -> Int32 {
    guard let address = PeerAddress(host) else { throw SystemError("inet_pton", code: EINVAL) }
    let isV4 = address.isV4 && !host.contains(":")
    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let fd = try checked("socket") { socket(isV4 ? AF_INET : AF_INET6, kind, 0) }
    do throws(SystemError) {
      var bytes = bufferBytes
      _ = try checked("setsockopt") {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
      }
      try ListeningSocket.bind(fd, address, port, isV4: isV4)
      return fd
    } catch {
      close(fd)
      throw error
    }
  }
}
