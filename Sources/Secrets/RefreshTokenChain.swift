/// Derives the refresh token that follows another: always the same one, so that a lost answer can be given again
/// although only digests are stored. Not Sendable: each loop has its own.
package final class RefreshTokenChain {
  private let codes: [MessageAuthentication]

  /// The first key is for tokens made from now on, the others are for those made before.
  package init(keys: [[UInt8]]) { codes = keys.map { MessageAuthentication(key: $0) } }

  /// The token that replaces another one when it is used up.
  package func successor(of token: OpaqueKey) -> OpaqueKey { candidates(for: token)[0] }

  /// The tokens that may have replaced another one when it was used up.
  package func candidates(for token: OpaqueKey) -> [OpaqueKey] {
    codes.map { OpaqueKey(.refreshToken, secret: $0.code(of: Array(token.text.utf8))) }
  }
}
