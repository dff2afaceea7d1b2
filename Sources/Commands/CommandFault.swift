/// Why a command stops: shown behind the command's name, before the program ends with the exit code.
package struct CommandFault: Error {
  /// The end of a sentence.
  let reason: String
  let exitCode: Int32

  /// Something is not as the command needs it: exit code 1.
  package init(_ reason: String) { self.init(reason, exitCode: ExitCode.failure) }

  /// An option has a value that it may not have: exit code 64.
  package static func misuse(_ reason: String) -> CommandFault { CommandFault(reason, exitCode: ExitCode.usage) }

  private init(_ reason: String, exitCode: Int32) {
    self.reason = reason
    self.exitCode = exitCode
  }
}
