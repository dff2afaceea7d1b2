import Values
import Web

/// What gardens make void.
extension CacheTag {
  /// The lists of gardens that everyone may see.
  package static let gardens = CacheTag("gardens")

  static func garden(_ id: Identifier) -> CacheTag { CacheTag("garden", id) }

  /// The newest readings of a garden, when devices of it are gone.
  package static func latest(in garden: Identifier) -> CacheTag { CacheTag("latest", garden) }
}
