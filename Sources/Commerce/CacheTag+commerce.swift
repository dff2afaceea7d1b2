import Values
import Web

/// What businesses and their products make void.
extension CacheTag {
  package static let businesses = CacheTag("businesses")

  static func business(_ id: Identifier) -> CacheTag { CacheTag("business", id) }

  static func product(_ id: Identifier) -> CacheTag { CacheTag("product", id) }

  /// The lists of what a business sells.
  static func products(of business: Identifier) -> CacheTag { CacheTag("products", business) }
}
