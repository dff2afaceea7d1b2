import CLinux
import Glibc
import HTTP
import Reactor

/// A restart without a failed request: the process that is to replace this one, with the same arguments, environment
/// and listening sockets, from the binary that is now at this one's path.
///
/// It accepts no connection before it serves, which it reports through a pipe. A pidfd tells when it has ended.
final class Successor {
  let pid: pid_t
  private(set) var isServing = false
  private let loop: EventLoop
  private let pipe: Int32
  private let pidfd: Int32

  /// Starts `binary`. `onServing` is called at most once, `onEnd` once with what wait(2) tells of the end.
  init(
    _ binary: String, passing sockets: [Int32], loop: EventLoop, onServing: @escaping () -> Void,
    onEnd: @escaping (_ status: Int32) -> Void
  ) throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    _ = try checked("pipe") { Glibc.pipe(&ends) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[1]) }
    do throws(SystemError) {
      let pid = try Self.spawn(binary, passing: sockets + [ends[1]])
      self.pid = pid
      pidfd = try checked("pidfd_open") { pidfd_open(pid, 0) }
    } catch {
      close(ends[0])
      throw error
    }
    (self.loop, pipe) = (loop, ends[0])
    try loop.add(
      pipe, .readable,
      Watch { [unowned self] in
        var word: UInt8 = 0
        isServing = retrying { read(pipe, &word, 1) } == 1
        loop.remove(pipe)
        if isServing { onServing() }
      })
    try loop.add(
      pidfd, .readable,
      Watch { [unowned self] in
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return }
        onEnd(status)
      })
  }

  deinit {
    loop.remove(pipe)
    loop.remove(pidfd)
    close(pipe)
    close(pidfd)
  }

  /// Ends it at once: it does not serve yet.
  func kill() { Glibc.kill(pid, SIGKILL) }

  private final class Watch: EventHandler {
    private let action: () -> Void
    init(_ action: @escaping () -> Void) { self.action = action }
    func ready(_ readiness: Readiness) { action() }
  }

  // MARK: Starting

  /// Returns the path of this process's binary: as it was called if that leads there, since an upgrade may turn a link
  /// in that path to another release, which is to be started then. Called before anything is replaced.
  static func ownBinary() -> String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink("/proc/self/exe", &bytes, Int(PATH_MAX))
    let resolved = String(decoding: bytes[..<max(0, count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
    guard let called = CommandLine.arguments.first, called.contains("/") else { return resolved }
    var path = called
    if !called.hasPrefix("/"), let directory = getcwd(nil, 0) {
      path = String(cString: directory) + "/" + called
      free(directory)
    }
    var (own, other) = (stat(), stat())
    let isOurs =
      stat("/proc/self/exe", &own) == 0 && stat(path, &other) == 0 && own.st_dev == other.st_dev
      && own.st_ino == other.st_ino
    return isOurs ? path : resolved
  }

  /// Starts the binary with descriptors from `ListeningSocket.firstInherited` on; the last of `passed` is the pipe, no
  /// socket.
  private static func spawn(_ binary: String, passing passed: [Int32]) throws(SystemError) -> pid_t {
    try ChildProcess.spawn(
      CommandLine.arguments, path: binary,
      .own(adding: ["LISTEN_FDS=\(passed.count - 1)", "\(Predecessor.variable)=\(getpid())"]),
      descriptors: [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] + passed)
  }
}
