import Glibc

/// The limit on the process's open file descriptors (getrlimit(2), RLIMIT_NOFILE).
package enum DescriptorLimit {
  private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

  /// The limit in force, which is the soft one.
  package static var current: Int {
    var limit = rlimit()
    getrlimit(resource, &limit)
    return Int(clamping: limit.rlim_cur)
  }

  /// Raises the soft limit to the hard one. The soft limit is low by default for the sake of select(2), which nothing
  /// here calls.
  package static func raise() {
    var limit = rlimit()
    getrlimit(resource, &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(resource, &limit)
  }
}
