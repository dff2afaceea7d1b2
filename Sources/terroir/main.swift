import API
import Glibc

let program = Program([.serve, .migrate, .healthcheck, .config, .routes, .promote, .edgeLog, .version])
exit(program.run(Array(CommandLine.arguments.dropFirst()), environment: .process()))
