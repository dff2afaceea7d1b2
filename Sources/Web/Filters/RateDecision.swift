/// What became of one request's token.
package struct RateDecision: Equatable {
  package let isAllowed: Bool
  /// Tokens that are left.
  let remaining: Int64
  /// Seconds until there is a token again, or until the bucket is full.
  let resetSeconds: Int64
}
