import API
import Glibc

let program = Program([.serve, .migrate, .healthcheck, .config, .routes, .promote, .version])
exit(program.run(Array(CommandLine.arguments.dropFirst()), environment: .process()))
