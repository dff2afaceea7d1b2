@testable import Settings

/// A machine with four processors and nothing else of note.
let testMachine = Machine(
  processors: 4, hostName: "box", randomSecret: "7c1f0a9be2d34856a1b0c9d8e7f60514233241506f7e8d9cab1b2c3d4e5f6071")

/// A secret without a fault.
let goodSecret = "q8Zr3vX1mB6tYw9eKc2LpA7sDf4GhJ0u"

/// The fewest settings that production needs.
let serious = [
  "ENVIRONMENT": "production", "DATABASE_URL": "postgresql://terroir:kX82-pQ@db/terroir",
  "REDIS_URL": "redis://:zR71.wL@redis", "JWT_SECRET": goodSecret,
]

/// The configuration of `variables` and `files`, by their paths; throws `ConfigurationFaults`.
func load(
  _ variables: [String: String], machine: Machine = testMachine, files: [String: String] = [:]
) throws -> Configuration {
  try Configuration.load(
    RawEnvironment(variables: variables, machine: machine, readFile: { files[$0].map { Array($0.utf8) } }))
}

/// The faults of `variables` and `files`; none if they can be read.
func faults(_ variables: [String: String], files: [String: String] = [:]) -> [String] {
  do {
    _ = try load(variables, files: files)
    return []
  } catch {
    return (error as? ConfigurationFaults)?.faults ?? ["\(error)"]
  }
}
