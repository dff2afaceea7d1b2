import JSON
import Postgres
import Web

/// A merge patch of quiet hours, which may have only some of the members (RFC 7386, section 2).
struct QuietHoursChange {
  let from: MinuteOfDay?
  let to: MinuteOfDay?
  let timeZone: Patch<String>

  /// Returns the hours after the change. Throws where `from` or `to` is neither given nor set before, and where they
  /// end as they begin.
  func applied(to current: QuietHours?) throws(ValidationError) -> QuietHours {
    guard let from = from ?? current?.from else { throw ValidationError("/quietHours/from", "is required") }
    guard let to = to ?? current?.to else { throw ValidationError("/quietHours/to", "is required") }
    let hours = QuietHours(
      from: from, to: to, timeZone: timeZone.applied(to: current?.timeZone) ?? TimeZoneName.assumed)
    guard !hours.areEmpty else { throw ValidationError("/quietHours", QuietHours.expectation) }
    return hours
  }
}

extension Patch<QuietHoursChange> {
  /// Returns the hours after the patch. The database is asked for their zone only when something is set.
  func applied(to current: QuietHours?, in transaction: Transaction) async throws -> QuietHours? {
    switch self {
    case .absent: current
    case .clear: nil
    case .set(let change): try await change.applied(to: current).settled(in: transaction)
    }
  }
}

extension QuietHours {
  /// Returns these hours with the database's spelling of their zone. Throws a fault when the database knows none.
  func settled(in transaction: Transaction) async throws -> QuietHours {
    let name = try await TimeZoneName.settled(timeZone, at: "/quietHours/timeZone", in: transaction)
    return QuietHours(from: from, to: to, timeZone: name ?? timeZone)
  }
}

extension Rule where Value == QuietHoursChange {
  /// Quiet hours in a merge patch.
  static var quietHoursChange: Rule {
    .object(named: "QuietHoursChange") { fields in
      QuietHoursChange(
        from: fields.change("from", .minuteOfDay), to: fields.change("to", .minuteOfDay),
        timeZone: fields.patch("timeZone", .timeZone, "UTC when it is null."))
    }
  }
}
