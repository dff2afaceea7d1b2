import Glibc
import Reactor
import Redis
import TestSupport

/// A redis-server for one test, which can stop, freeze and restart it on the same port.
package final class PrivateServer: @unchecked Sendable {
  package let port: UInt16
  /// The arguments besides those for its socket, used from its next start on.
  package var arguments: [String]
  private let certificate: Certificate?
  private var process: pid_t = 0

  /// Starts a server on a free port of the loopback address, with further `arguments` as on the command line. With a
  /// `certificate` it speaks TLS.
  package init(_ arguments: [String] = [], certificate: Certificate? = nil) throws {
    port = try Loopback.freePort()
    self.arguments = arguments
    self.certificate = certificate
    try start()
  }

  deinit { kill() }

  package var address: RedisAddress { RedisAddress(endpoint: .tcp(host: "127.0.0.1", port: port)) }

  package func start() throws {
    let place =
      certificate.map { ["--port", "0", "--tls-port", "\(port)"] + $0.redisArguments } ?? ["--port", "\(port)"]
    let words =
      ["redis-server"] + place + ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
      + ["--dir", "/tmp", "--enable-debug-command", "yes", "--logfile", "/dev/null"] + arguments
    process = try ChildProcess.spawn(words)
  }

  package func freeze() { Glibc.kill(process, SIGSTOP) }
  package func thaw() { Glibc.kill(process, SIGCONT) }

  package func kill() {
    guard process != 0 else { return }
    Glibc.kill(process, SIGKILL)
    waitpid(process, nil, 0)
    process = 0
  }
}
