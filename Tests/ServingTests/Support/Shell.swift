import Glibc
import Reactor
import TestSupport

/// Runs `script` by /bin/sh and waits until it has ended; throws if it fails.
func shell(_ script: String) throws {
  let child = try ChildProcess.spawn(["/bin/sh", "-c", script])
  var status: Int32 = 0
  waitpid(child, &status, 0)
  if status != 0 { throw SystemError("sh", code: status) }
}
