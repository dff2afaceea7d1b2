import Glibc

/// What configuration is made of: the process's variables, its files and its machine. Tests pass their own.
package struct RawEnvironment: Sendable {
  /// The longest file that a NAME_FILE variable may point at, in bytes.
  static let maximumFileBytes = 65_536

  package var variables: [String: String]
  /// The content of a file, or nil when it cannot be read.
  package var readFile: @Sendable (String) -> [UInt8]?
  package var machine: Machine

  package init(
    variables: [String: String], machine: Machine, readFile: @escaping @Sendable (String) -> [UInt8]? = { _ in nil }
  ) {
    self.variables = variables
    self.machine = machine
    self.readFile = readFile
  }

  /// The environment of this process.
  package static func process() -> RawEnvironment {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return RawEnvironment(
      variables: variables, machine: .current(), readFile: { File.read($0, maximumBytes: maximumFileBytes) })
  }
}
