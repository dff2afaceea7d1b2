import Glibc
import JSON
import Reactor

/// A real server in a process of its own, in Debian's Python: its first line is its port, and what it has taken is an
/// object a line. It ends with the tests' process, however that ends.
final class PythonServer: Sendable {
  let port: UInt16
  private let log: LogCapture
  private let process: pid_t
  /// The other end of its standard input: closed by the kernel when nobody is left to close it.
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
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
    posix_spawn_file_actions_adddup2(&actions, log.writeEnd, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, log.writeEnd, STDERR_FILENO)
    // Debian's, for which the packages are installed.
    let words = ["/usr/bin/python3", "-c", Self.untilOrphaned + program] + arguments
    var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for word in argv { free(word) } }
    var child = pid_t()
    let code = posix_spawn(&child, words[0], &actions, nil, &argv, environ)
    if code != 0 { throw SystemError("posix_spawn", code: code) }
    process = child
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

  /// What it has taken.
  var taken: [JSONValue] {
    log.lines.filter { $0.hasPrefix("{") }.compactMap { try? JSONReader.parse(Array($0.utf8)) }
  }
}
