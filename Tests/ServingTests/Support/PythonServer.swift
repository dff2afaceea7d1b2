import CLinux
import Glibc
import JSON
import Reactor
import TestSupport

/// A real server in a process of its own, run by Debian's Python. The first line that it prints is its port, and each
/// further one a JSON object of what it has received. It ends with the tests' process, however that ends.
final class PythonServer: Sendable {
  let port: UInt16
  private let log: LogCapture
  private let process: pid_t
  /// The other end of its standard input, which the kernel closes with this process at the latest.
  private let life: CInt

  struct NoPort: Error {
    let output: [String]
  }

  init(_ program: String, _ arguments: [String]) throws {
    let log = try LogCapture()
    self.log = log
    var ends: [CInt] = [0, 0]
    let kind = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    if socketpair(AF_UNIX, kind, 0, &ends) != 0 { throw SystemError("socketpair") }
    life = ends[1]
    defer { close(ends[0]) }
    // Debian's Python, since the packages are installed for it.
    process = try ChildProcess.spawn(
      ["/usr/bin/python3", "-c", Self.untilOrphaned + program] + arguments,
      descriptors: [ends[0], log.writeEnd, log.writeEnd])
    var port: UInt16 = 0
    _ = holds(within: 60) {
      port = log.lines.first.flatMap { UInt16($0) } ?? 0
      return port != 0
    }
    self.port = port
    if port == 0 { throw NoPort(output: log.lines) }
  }

  deinit {
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
    close(life)
  }

  private static let untilOrphaned = """
    import os, sys, threading
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()

    """

  /// The objects that the server has printed.
  var taken: [JSONValue] {
    log.lines.filter { $0.hasPrefix("{") }.compactMap { try? JSONReader.parse(Array($0.utf8)) }
  }
}
