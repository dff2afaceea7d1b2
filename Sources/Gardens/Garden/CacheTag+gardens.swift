import Values
import Web

/// The cache tags of gardens.
extension CacheTag {
  /// The lists of gardens that everyone may see.
  package static let gardens = CacheTag("gardens")

  static func garden(_ id: Identifier) -> CacheTag { CacheTag("garden", id) }

  /// The newest readings of a garden. New ones are merged into these; the tag is for what is not, such as a deleted
  /// device.
  package static func latest(in garden: Identifier) -> CacheTag { CacheTag("latest", garden) }
}
