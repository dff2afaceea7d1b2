/// Why a token is refused. For the log: a client learns only that its token is not valid, or has expired.
package enum TokenError: Error, Equatable, Sendable {
  /// Not three parts of Base64 with JSON objects in the first two.
  case malformed
  /// Another algorithm than HS256, or an extension that must be understood (`crit`).
  case algorithm
  case signature
  case expired
  /// Issued in the future, or not valid yet (`nbf`).
  case tooEarly
  case issuer
  case audience
  /// A claim that a token of this server has is missing or of the wrong form.
  case claims
}
