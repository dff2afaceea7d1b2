import CLinux
import Glibc
import HTTP
import Reactor

/// A restart without a failed request: the process that is to replace this one, with the same arguments, environment
/// and listening sockets, from the binary that stands at the path where this one stood.
///
/// It takes no connection before it serves, and says so at a pipe. That it ends is seen by a pidfd.
final class Successor {
  let process: pid_t
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
      let process = try Self.spawn(binary, passing: sockets + [ends[1]])
      self.process = process
      pidfd = try checked("pidfd_open") { pidfd_open(process, 0) }
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
        guard waitpid(process, &status, WNOHANG) == process else { return }
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
  func kill() { Glibc.kill(process, SIGKILL) }

  private final class Watch: EventHandler {
    private let action: () -> Void
    init(_ action: @escaping () -> Void) { self.action = action }
    func ready(_ readiness: Readiness) { action() }
  }

  // MARK: Starting

  /// The path of this process's binary, as it was called if that leads there: behind a link that an upgrade turns to
  /// another release stands what is to be started then. To be asked before anything is replaced.
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

  /// Starts the binary with those descriptors from the first one on; the last of them is no socket.
  private static func spawn(_ binary: String, passing passed: [Int32]) throws(SystemError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Out of the way first: a source may stand where another one has to go.
    let spares = passed.map { fcntl($0, F_DUPFD_CLOEXEC, ListeningSocket.firstInherited + Int32(passed.count)) }
    defer { for spare in spares { close(spare) } }
    for (index, spare) in spares.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, spare, ListeningSocket.firstInherited + Int32(index))
    }
    // Nothing else: libcurl has sockets that are not closed by exec, and each successor would have those of all before.
    posix_spawn_file_actions_addclosefrom_np(&actions, ListeningSocket.firstInherited + Int32(passed.count))
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var environment: [UnsafeMutablePointer<CChar>?] = []
    var variable = environ
    while let entry = variable.pointee {
      environment.append(strdup(entry))
      variable += 1
    }
    environment.append(strdup("LISTEN_FDS=\(passed.count - 1)"))
    environment.append(strdup("\(Predecessor.variable)=\(getpid())"))
    environment.append(nil)
    var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
    arguments.append(nil)
    defer { for pointer in environment + arguments { free(pointer) } }
    var child = pid_t()
    let code = posix_spawn(&child, binary, &actions, &attributes, &arguments, &environment)
    if code != 0 { throw SystemError("posix_spawn", code: code) }
    return child
  }
}
