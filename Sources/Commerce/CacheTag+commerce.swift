import Values
import Web

/// The cache tags of businesses and their products.
extension CacheTag {
  package static let businesses = CacheTag("businesses")

  static func business(_ id: Identifier) -> CacheTag { CacheTag("business", id) }

  static func product(_ id: Identifier) -> CacheTag { CacheTag("product", id) }

  /// The lists of what a business sells.
  static func products(of business: Identifier) -> CacheTag { CacheTag("products", business) }
}
