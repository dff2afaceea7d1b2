import Glibc
import HTTP
import Reactor

/// A restart without a failed request: SIGUSR2 starts the binary anew with the listening sockets; once the new process
/// serves, it sends SIGQUIT to the old one, which finishes its connections and exits.
enum Successor {
  /// Names the process that is being replaced.
  private static let predecessorVariable = "TERROIR_PREDECESSOR"
  /// The first descriptor of those that are passed on (sd_listen_fds(3)).
  private static let firstDescriptor: Int32 = 3

  /// Starts the binary of this process with the same arguments and environment, passing on the sockets. Gives the
  /// process id of the successor.
  static func start(passing sockets: ServiceSockets) throws(SystemError) -> Int32 {
    let passed = sockets.requests + (sockets.metrics.map { [$0] } ?? [])
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Out of the way first: a source may stand where another one has to go.
    let spares = passed.map { fcntl($0, F_DUPFD_CLOEXEC, firstDescriptor + Int32(passed.count)) }
    defer { for spare in spares { close(spare) } }
    for (index, spare) in spares.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, spare, firstDescriptor + Int32(index))
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    return try spawn(&actions, &attributes, descriptors: passed.count)
  }

  private static func spawn(
    _ actions: inout posix_spawn_file_actions_t, _ attributes: inout posix_spawnattr_t, descriptors: Int
  ) throws(SystemError) -> Int32 {
    var environment: [UnsafeMutablePointer<CChar>?] = []
    var variable = environ
    while let entry = variable.pointee {
      environment.append(strdup(entry))
      variable += 1
    }
    environment.append(strdup("LISTEN_FDS=\(descriptors)"))
    environment.append(strdup("\(predecessorVariable)=\(getpid())"))
    environment.append(nil)
    var arguments: [UnsafeMutablePointer<CChar>?] = CommandLine.arguments.map { strdup($0) }
    arguments.append(nil)
    defer { for pointer in environment + arguments { free(pointer) } }
    var child = pid_t()
    let code = posix_spawn(&child, "/proc/self/exe", &actions, &attributes, &arguments, &environment)
    if code != 0 { throw SystemError("posix_spawn", code: code) }
    return child
  }

  /// The sockets that were passed on; none when nobody did.
  static func inheritedSockets() -> [Int32] {
    // A predecessor cannot know our process id before we exist.
    if getenv(predecessorVariable) != nil { setenv("LISTEN_PID", "\(getpid())", 1) }
    return ListeningSocket.inherited()
  }

  /// Tells the predecessor, if there is one, that this process serves.
  static func tellPredecessor() {
    guard let text = getenv(predecessorVariable), let process = Int32(String(cString: text)), process > 1 else {
      return
    }
    unsetenv(predecessorVariable)
    kill(process, SIGQUIT)
  }
}
