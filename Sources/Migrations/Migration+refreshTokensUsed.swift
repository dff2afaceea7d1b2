extension Migration {
  /// An index by which those are found that are to go. What is not used yet is not in it.
  static let refreshTokensUsed = Migration(
    number: 39, name: "refresh tokens, by their use",
    apart: [
      "DROP INDEX CONCURRENTLY IF EXISTS refresh_tokens_by_use",
      "CREATE INDEX CONCURRENTLY refresh_tokens_by_use ON refresh_tokens (used_at) WHERE used_at IS NOT NULL",
    ])
}
