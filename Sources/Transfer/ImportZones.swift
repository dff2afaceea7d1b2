import JSON
import Web

/// The time zones that the lines of a file name, as the database knows them.
struct ImportZones {
  /// The most zones that the database is asked for, which is more than there are; further ones count as unknown.
  static let maximumCount = 1_000

  /// The database's name of each zone that it was asked for; nil for one that it does not know.
  private var names: [String: String?] = [TimeZoneName.assumed: TimeZoneName.assumed]

  /// The zone on a line that the database has yet to be asked for. Text that cannot be a name is not asked for: it
  /// could be long.
  func unasked(on line: JSONValue) -> String? {
    guard let zone = line.member("timeZone")?.stringText, TimeZoneName.isName(zone),
      names.index(forKey: zone) == nil, names.count < Self.maximumCount
    else { return nil }
    return zone
  }

  /// Notes the database's name of a zone; nil when it knows none.
  mutating func learn(_ zone: String, _ name: String?) { names.updateValue(name, forKey: zone) }

  /// Replaces a zone by the database's spelling of its name.
  func settle(_ zone: inout String?, _ fields: inout Fields) {
    // The form has reported text that cannot be a name.
    guard let given = zone, TimeZoneName.isName(given) else { return }
    guard let name = names[given] ?? nil else { return fields.fault("timeZone", TimeZoneName.expectation) }
    zone = name
  }
}
