import Settings

extension Command {
  /// `terroir completions`: for packages, and for users of the bare binary.
  package static let completions = Command(
    "completions", operands: [Completion.allCases.map(\.rawValue).joined(separator: "|")],
    "Prints a shell's script for completing command lines.",
    body: .plain { invocation in
      guard let shell = Completion(rawValue: invocation.operands[0]) else {
        invocation.console.complain("terroir completions: no shell \"\(invocation.operands[0])\"\n")
        return ExitCode.usage
      }
      try invocation.console.write(shell.script(Expectation.all(of: invocation.commands)))
      return ExitCode.success
    })

  /// `terroir manual`: `terroir manual | man -l -` shows it.
  package static let manual = Command(
    "manual", "Prints the manual page, for man(1).",
    body: .plain { invocation in
      try invocation.console.write(Manual(commands: invocation.commands).text)
      return ExitCode.success
    })
}
