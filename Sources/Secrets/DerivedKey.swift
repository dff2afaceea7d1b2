/// Keys derived from the secret of tokens, one for each purpose, so that none serves as another.
package enum DerivedKey {
  /// The key for a purpose, whose name ends with a version.
  package static func key(_ purpose: String, from secret: String) -> [UInt8] {
    MessageAuthentication(key: Array(secret.utf8)).code(of: Array("terroir \(purpose)".utf8))
  }
}
