import Glibc

/// A system call that failed, with the name of the call and its errno.
package struct SystemError: Error, CustomStringConvertible {
  package let call: String
  package let code: Int32

  package init(_ call: String, code: Int32 = errno) {
    self.call = call
    self.code = code
  }

  package var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// Repeats a system call for as long as signals interrupt it. This is the one place where EINTR is swallowed, except
/// for `Metrics`, which imports nothing of ours.
///
/// Returns what the call returned; -1 means that errno holds another error.
@inlinable
package func retrying<Result: FixedWidthInteger & SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

/// Runs a system call and throws `SystemError` when it returns -1; EINTR is retried.
package func checked<Result: FixedWidthInteger & SignedInteger>(
  _ name: String, _ call: () -> Result
) throws(SystemError) -> Result {
  let result = retrying(call)
  if result == -1 { throw SystemError(name) }
  return result
}
