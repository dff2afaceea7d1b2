import CLinux

/// What is awaited on a file descriptor, or what it is ready for.
package struct Readiness: OptionSet, Sendable {
  @usableFromInline package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// As for every option set, but without a call through its protocols from other modules.
  @inlinable
  package func contains(_ member: Readiness) -> Bool { rawValue & member.rawValue == member.rawValue }

  package static let readable = Readiness(rawValue: EPOLLIN.rawValue)
  package static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
  /// Both directions are gone (EPOLLHUP). Always reported, never asked for.
  package static let hungUp = Readiness(rawValue: EPOLLHUP.rawValue)
  /// The descriptor has an error to be read by SO_ERROR (EPOLLERR). Always reported, never asked for.
  package static let failed = Readiness(rawValue: EPOLLERR.rawValue)
}
