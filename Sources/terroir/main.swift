import Accounts
import Commands
import Edge
import Glibc
import Serving
import Settings

/// The commands of the program, in the order of its help.
let program = Program(
  [.serve, .migrate, .healthcheck, .watch, .config, .routes] + Command.accounts
    + [.edgeLog, .completions, .manual, .version])
Console.fillStandardDescriptors()
exit(program.run(Array(CommandLine.arguments.dropFirst()), environment: .process()))
