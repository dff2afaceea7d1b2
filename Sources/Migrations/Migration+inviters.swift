extension Migration {
  static let inviters = Migration(
    number: 49, name: "inviters",
    sql: """
      -- Who made an invitation, which goes when they may invite no more; null once somebody has accepted it, and for those of
      -- the release before. It takes no row along by itself: that release accepts invitations and leaves the inviter there.
      ALTER TABLE garden_members ADD COLUMN invited_by uuid REFERENCES users ON DELETE SET NULL;
      """)

  /// For the end of an account, which looks for the rows that name it.
  static let invitersIndex = Migration(
    number: 50, name: "inviters, by user",
    apart: [
      "DROP INDEX CONCURRENTLY IF EXISTS garden_members_by_inviter",
      """
      CREATE INDEX CONCURRENTLY garden_members_by_inviter ON garden_members (invited_by) WHERE invited_by IS NOT NULL
      """,
    ])

  /// Tells an invitation that `invited_by` made from one that a release without that column has renewed.
  static let invitedAt = Migration(
    number: 53, name: "invited at",
    sql: """
      -- The created_at that was written with invited_by. A release that does not know the columns renews an invitation with
      -- a created_at of its own and leaves both as they are: where the two times differ, its inviter is not known.
      ALTER TABLE garden_members ADD COLUMN invited_at timestamptz;
      UPDATE garden_members SET invited_at = created_at WHERE invited_by IS NOT NULL AND user_id IS NULL;
      """)
}
