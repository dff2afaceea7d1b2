import Glibc
import Reactor
import Redis

/// A redis-server of a test's own, which it may stop, freeze and start again on the same port.
package final class PrivateServer: @unchecked Sendable {
  package let port: UInt16
  private let arguments: [String]
  private var process: pid_t = 0

  /// Starts a server on a free port of the loopback address, with further arguments as on the command line.
  package init(_ arguments: [String] = []) throws {
    port = try Self.freePort()
    self.arguments = arguments
    try start()
  }

  deinit { kill() }

  package var address: RedisAddress { RedisAddress(endpoint: .tcp(host: "127.0.0.1", port: port)) }

  package func start() throws {
    let words =
      ["redis-server", "--port", "\(port)", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
      + ["--dir", "/tmp", "--enable-debug-command", "yes", "--logfile", "/dev/null"] + arguments
    var argv = words.map { strdup($0) } + [nil]
    defer { for word in argv { free(word) } }
    let code = posix_spawnp(&process, "redis-server", nil, nil, &argv, environ)
    if code != 0 { throw SystemError("posix_spawnp redis-server", code: code) }
  }

  package func freeze() { Glibc.kill(process, SIGSTOP) }
  package func thaw() { Glibc.kill(process, SIGCONT) }

  package func kill() {
    guard process != 0 else { return }
    Glibc.kill(process, SIGKILL)
    waitpid(process, nil, 0)
    process = 0
  }

  private static func freePort() throws -> UInt16 {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(fd) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(fd, $0, length)
        _ = getsockname(fd, $0, &length)
      }
    }
    if address.sin_port == 0 { throw SystemError("bind") }
    return UInt16(bigEndian: address.sin_port)
  }
}
