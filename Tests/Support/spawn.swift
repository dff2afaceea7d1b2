import CLinux
import Glibc
import Reactor

/// Starts a program, found by its name or path, as a shell starts it, with the tests' environment unless it gets its own.
///
/// Of the tests' descriptors it has those that are given, from the first on (standard input), and no others: a connection
/// that another test has open just then would not end, for its peer, before the program does.
package func spawn(
  _ words: [String], environment: [String: String]? = nil,
  descriptors: [Int32] = [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
) throws(SystemError) -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  for (place, descriptor) in descriptors.enumerated() {
    posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(place))
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, Int32(descriptors.count))
  // The threads of tests block signals.
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var none = sigset_t()
  sigemptyset(&none)
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
  var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
  var variables: [UnsafeMutablePointer<CChar>?] = (environment ?? [:]).map { strdup("\($0)=\($1)") } + [nil]
  defer { for pointer in arguments + variables { free(pointer) } }
  var child = pid_t()
  let code =
    environment == nil
    ? posix_spawnp(&child, words[0], &actions, &attributes, &arguments, environ)
    : posix_spawnp(&child, words[0], &actions, &attributes, &arguments, &variables)
  if code != 0 { throw SystemError("posix_spawnp \(words[0])", code: code) }
  return child
}
