import Glibc
import Reactor

/// Runs a script of /bin/sh to its end; throws when it fails.
func shell(_ script: String) throws {
  let words = ["/bin/sh", "-c", script]
  var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
  defer { for argument in arguments { free(argument) } }
  var child = pid_t()
  let code = posix_spawn(&child, "/bin/sh", nil, nil, &arguments, environ)
  if code != 0 { throw SystemError("posix_spawn", code: code) }
  var status: Int32 = 0
  waitpid(child, &status, 0)
  if status != 0 { throw SystemError("sh", code: status) }
}
