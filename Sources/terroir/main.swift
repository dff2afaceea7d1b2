import API
import Glibc

let program = Program([.serve, .migrate, .healthcheck, .config, .routes, .version])
exit(program.run(Array(CommandLine.arguments.dropFirst()), environment: .process()))
