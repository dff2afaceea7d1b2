import CLinux
import Glibc

/// Starts programs as child processes.
package enum ChildProcess {
  /// The environment variables of a child.
  package enum Environment {
    /// Those of this process, followed by others, each as `NAME=value`.
    case own(adding: [String] = [])
    case only([String: String])
  }

  /// Starts a program and returns its process id, for which the caller has to wait. Without `path` it is looked up by
  /// its first word, as a shell does.
  ///
  /// The child gets `descriptors` as 0, 1, 2 and so on, and no others: not everything that a library opens is closed by
  /// exec(3), and a connection would not end, for its peer, before the child does. It blocks no signal, unlike threads
  /// here. Throws when the system cannot start it (posix_spawn(3)), or has no descriptors left to pass these on.
  package static func spawn(
    _ words: [String], path: String? = nil, _ environment: Environment = .own(),
    descriptors: [Int32] = [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
  ) throws(SystemError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Duplicated out of the way first: a descriptor may have the number that another one is to get.
    var spares: [Int32] = []
    defer { for spare in spares { close(spare) } }
    for descriptor in descriptors {
      spares.append(try checked("fcntl") { fcntl(descriptor, F_DUPFD_CLOEXEC, Int32(descriptors.count)) })
    }
    for (place, spare) in spares.enumerated() { posix_spawn_file_actions_adddup2(&actions, spare, Int32(place)) }
    posix_spawn_file_actions_addclosefrom_np(&actions, Int32(descriptors.count))
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var ignoredHere = sigset_t()
    sigemptyset(&ignoredHere)
    sigaddset(&ignoredHere, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &ignoredHere)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    var arguments = words.map { strdup($0) } + [nil]
    var variables = copies(environment)
    defer { for pointer in arguments + variables { free(pointer) } }
    var child = pid_t()
    let file = path ?? words[0]
    let code = posix_spawnp(&child, file, &actions, &attributes, &arguments, &variables)
    if code != 0 { throw SystemError("posix_spawnp \(file)", code: code) }
    return child
  }

  /// The variables as C strings, ended by nil; the caller frees them.
  private static func copies(_ environment: Environment) -> [UnsafeMutablePointer<CChar>?] {
    switch environment {
    case .only(let variables): return variables.map { strdup("\($0)=\($1)") } + [nil]
    case .own(let others):
      var copies: [UnsafeMutablePointer<CChar>?] = []
      var variable = environ
      while let entry = variable.pointee {
        copies.append(strdup(entry))
        variable += 1
      }
      return copies + others.map { strdup($0) } + [nil]
    }
  }
}
