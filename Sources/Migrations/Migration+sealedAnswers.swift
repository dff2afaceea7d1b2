extension Migration {
  static let sealedAnswers = Migration(
    number: 12, name: "sealed answers",
    sql: """
      -- Whether the body shows a secret, such as a device's key, and is therefore kept encrypted.
      ALTER TABLE idempotency_keys ADD COLUMN sealed boolean NOT NULL DEFAULT false;
      """)
}
