/// How commands end (sysexits(3) where it has a name for it).
package enum ExitCode {
  package static let success: Int32 = 0
  package static let failure: Int32 = 1
  /// Too little is known to say yes or no.
  package static let unclear: Int32 = 3
  /// The command line was wrong.
  package static let usage: Int32 = 64
  /// The environment was wrong.
  package static let configuration: Int32 = 78
}
