/// Tells which refresh token follows another: always the same, so that an answer that was lost can be given again
/// although only digests are stored. Not Sendable: each loop has its own.
package final class RefreshTokenChain {
  private let codes: [MessageAuthentication]

  /// The first key is for what is made from now on.
  package init(keys: [[UInt8]]) { codes = keys.map { MessageAuthentication(key: $0) } }

  /// The token to be made when another one is used up.
  package func successor(of token: OpaqueKey) -> OpaqueKey { candidates(for: token)[0] }

  /// Those that may have been made when another one was used up.
  package func candidates(for token: OpaqueKey) -> [OpaqueKey] {
    codes.map { OpaqueKey(.refreshToken, secret: $0.code(of: Array(token.text.utf8))) }
  }
}
