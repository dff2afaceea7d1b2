import Settings

/// The command line: finds the command that is meant, reads its options and runs it.
package struct Program: Sendable {
  private let commands: [Command]

  /// `commands` in the order in which help lists them; `help` is there without being named.
  package init(_ commands: [Command]) { self.commands = commands }

  /// Runs the command that the arguments, without the program's own name, ask for; returns the exit code.
  package func run(_ arguments: [String], environment: RawEnvironment, console: Console = .standard) -> Int32 {
    do {
      return try answer(arguments, environment, console)
    } catch {
      console.complain("terroir: \(error)\n")
      return ExitCode.failure
    }
  }

  private func answer(_ arguments: [String], _ environment: RawEnvironment, _ console: Console) throws -> Int32 {
    switch arguments.first {
    case nil:
      console.complain(help)
      return ExitCode.usage
    case "help", "--help", "-h": return try showHelp(Array(arguments.dropFirst()), console)
    case "--version": return try answer(["version"], environment, console)
    default: break
    }
    guard let command = command(arguments) else {
      if arguments.dropFirst().contains(where: Self.asksForHelp) { return try showHelp([arguments[0]], console) }
      let fault = group(arguments[0]) == nil ? "no command" : "a word is missing or wrong behind"
      return complain("\(fault) \"\(arguments[0])\"", seeing: group(arguments[0]) == nil ? "" : arguments[0], console)
    }
    let rest = arguments.dropFirst(command.words.count)
    if rest.contains(where: Self.asksForHelp) {
      try console.write(command.help)
      return ExitCode.success
    }
    var invocation = Command.Invocation(commands: commands, environment: environment, console: console)
    if let fault = invocation.read(rest, of: command) { return complain("\(command.name): \(fault)", console) }
    do {
      switch command.body {
      case .plain(let body): return try body(invocation)
      case .configured(let body): return try invocation.withConfiguration { try body($0, invocation) }
      }
    } catch let fault as CommandFault {
      console.complain("terroir \(command.name): \(fault.reason)\n")
      return fault.exitCode
    }
  }

  private func command(_ arguments: [String]) -> Command? {
    commands.first { arguments.starts(with: $0.words) }
  }

  /// The commands that begin with a word and go on, as a list; nil when there is none.
  private func group(_ word: String) -> String? {
    let rows = commands.filter { $0.words.count > 1 && $0.words[0] == word }.map { ($0.usage, $0.summary) }
    return rows.isEmpty ? nil : "Usage: terroir \(word) COMMAND\n\nCommands:\n" + Command.columns(rows)
  }

  private static func asksForHelp(_ argument: String) -> Bool { argument == "--help" || argument == "-h" }

  private func showHelp(_ arguments: [String], _ console: Console) throws -> Int32 {
    if arguments.allSatisfy({ Self.asksForHelp($0) || $0 == "help" }) {
      try console.write(help)
      return ExitCode.success
    }
    if arguments.count == 1, let group = group(arguments[0]) {
      try console.write(group)
      return ExitCode.success
    }
    guard let command = command(arguments), arguments.count == command.words.count else {
      return complain("no command \"\(arguments.joined(separator: " "))\"", console)
    }
    try console.write(command.help)
    return ExitCode.success
  }

  private func complain(_ fault: String, seeing topic: String = "", _ console: Console) -> Int32 {
    console.complain("terroir: \(fault)\nSee terroir help\(topic.isEmpty ? "" : " \(topic)").\n")
    return ExitCode.usage
  }

  private var help: String {
    let rows = commands.map { ($0.name, $0.summary) } + [("help [COMMAND]", "Shows this, or how to use a command.")]
    return "Terroir, an API server for growers and sellers.\n\nUsage: terroir COMMAND\n\nCommands:\n"
      + Command.columns(rows)
  }
}

extension Command.Invocation {
  /// Reads what follows the command's name; returns what is wrong with it, or nil.
  fileprivate mutating func read(_ arguments: ArraySlice<String>, of command: Command) -> String? {
    var rest = arguments
    while let argument = rest.popFirst() {
      guard argument.hasPrefix("-"), argument != "-" else {
        operands.append(argument)
        continue
      }
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map { String($0) }
      guard let option = command.options.first(where: { $0.name == parts[0] }) else { return "no option \(parts[0])" }
      guard options[option.name] == nil else { return "\(option.name) is given twice" }
      if let name = option.value {
        guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else { return "\(option.name) needs a \(name)" }
        options[option.name] = value
      } else if parts.count == 1 {
        options[option.name] = ""
      } else {
        return "\(option.name) takes no value"
      }
    }
    if operands.count < command.operands.count { return "\(command.operands[operands.count]) is missing" }
    if operands.count > command.operands.count { return "\"\(operands[command.operands.count])\" is too much" }
    return nil
  }
}
