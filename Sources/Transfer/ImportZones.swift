import JSON
import Web

/// The time zones that the lines of a file name, as the database knows them.
struct ImportZones {
  /// The most that are asked for, which is more than there are; further ones are unknown.
  static let maximumCount = 1_000

  /// The names of those that were asked for; nil for what the database does not know.
  private var names: [String: String?] = [TimeZoneName.assumed: TimeZoneName.assumed]

  /// The zone on a line that is to be asked for; nil without one. What is no name is not asked for: it could be long.
  func unasked(on line: JSONValue) -> String? {
    guard let zone = line.member("timeZone")?.stringText, TimeZoneName.isName(zone),
      names.index(forKey: zone) == nil, names.count < Self.maximumCount
    else { return nil }
    return zone
  }

  /// Notes the name of a zone; nil when the database knows none.
  mutating func learn(_ zone: String, _ name: String?) { names.updateValue(name, forKey: zone) }

  /// Gives a zone its name, letter by letter.
  func settle(_ zone: inout String?, _ fields: inout Fields) {
    // Of what is no name the form has told.
    guard let given = zone, TimeZoneName.isName(given) else { return }
    guard let name = names[given] ?? nil else { return fields.fault("timeZone", TimeZoneName.expectation) }
    zone = name
  }
}
