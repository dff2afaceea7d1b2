extension Migration {
  /// An index of the used refresh tokens, by which those to be deleted are found.
  static let refreshTokensUsed = Migration(
    number: 39, name: "refresh tokens, by their use",
    apart: [
      "DROP INDEX CONCURRENTLY IF EXISTS refresh_tokens_by_use",
      "CREATE INDEX CONCURRENTLY refresh_tokens_by_use ON refresh_tokens (used_at) WHERE used_at IS NOT NULL",
    ])
}
