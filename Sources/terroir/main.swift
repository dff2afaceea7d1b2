import API
import Glibc

let program = Program([.healthcheck, .config, .version])
exit(program.run(Array(CommandLine.arguments.dropFirst()), environment: .process()))
