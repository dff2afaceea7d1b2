import Postgres
import Testing

@testable import Web

@Suite("Every table", .blocking)
struct TablesTests {
  /// The kind of line that an export has for the rows of each table.
  private static let exported: [String: LineKind] = [
    "users": .profile, "gardens": .garden, "devices": .device, "businesses": .business, "products": .product,
    "orders": .order, "order_lines": .order, "channels": .channel, "insights": .insight, "readings": .reading,
    "readings_late": .reading, "readings_sealed": .reading, "readings_1h": .hour,
  ]

  /// The tables of which an export has no lines.
  private static let kept: Set = [
    // They let a caller in, or record who came in.
    "sessions", "session_keys", "refresh_tokens", "personal_tokens", "password_resets", "event_tickets",
    "channel_requests", "idempotency_keys",
    // About other users as well.
    "garden_members",
    // Delivered already, or made from what is exported.
    "deliveries", "device_watch", "business_words", "readings_5m", "readings_1d", "rollup_queue", "rollup_additions",
    "rollup_refused", "history_parts",
    // The server's own.
    "erased_devices", "commit_mark", "status_spans", "schema_migrations",
  ]

  /// Columns whose rows are not deleted with the row whose id they hold.
  private static let loose: Set = [
    // The rows of a device, which may be many, are deleted at once or in the background (`Readings.delete`,
    // `ErasedDevices`).
    "readings.device_id", "readings_late.device_id", "readings_sealed.device_id", "readings_5m.device_id",
    "readings_1h.device_id", "readings_1d.device_id", "rollup_queue.device_id", "erased_devices.device_id",
    // Orders stay as they were placed.
    "orders.business_id", "order_lines.product_id",
    // These expire soon by themselves.
    "event_tickets.garden_id", "event_tickets.session_id", "channel_requests.user_id",
    // This names no row.
    "channels.lease",
  ]

  private static let tables = """
    WITH tables AS (
      SELECT c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    )
    """

  private func names(_ query: String) throws -> Set<String> {
    try LiveServer.shared.get().withDatabase { database in
      Set(try await database.query(SQL(unescaped: Self.tables + query)).map { try $0.decode(String.self, 0) })
    }
  }

  @Test("is listed here, with whether an export has what is in it")
  func exports() throws {
    let said = Self.kept.union(Self.exported.keys)
    let all = try names("SELECT relname::text FROM tables")
    #expect(all.subtracting(said) == [], "tables that are not listed")
    #expect(said.subtracting(all) == [], "tables that are gone")
    #expect(Set(Self.exported.values).union([.header]) == Set(LineKind.allCases))
  }

  @Test("loses the rows that name another row with that row, and so all of a user with the user")
  func erasure() throws {
    let loose = try names(
      """
      SELECT relname || '.' || attname FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid
      WHERE a.attnum > 0 AND NOT a.attisdropped AND a.atttypid = 'uuid'::regtype AND a.attname <> 'id'
        AND NOT EXISTS (
          SELECT FROM pg_constraint c
          WHERE c.conrelid = t.oid AND c.contype = 'f' AND c.confdeltype IN ('c', 'n') AND a.attnum = ANY (c.conkey))
      """)
    #expect(loose.subtracting(Self.loose) == [], "columns that keep the id of a row that is gone")
    #expect(Self.loose.subtracting(loose) == [], "columns that no longer do so")
  }
}
