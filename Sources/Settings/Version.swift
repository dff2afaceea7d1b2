import CRelease

/// What this binary is a build of, where no SERVICE_VERSION or REVISION says otherwise.
package enum Version {
  package static let number = String(cString: release_version())
  /// The commit, or `unknown`.
  package static let revision = String(cString: release_revision())
  /// The compiler that this was built with, as far as it tells.
  package static let swift: String = {
    #if compiler(>=6.4)
      "6.4"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }()
}
