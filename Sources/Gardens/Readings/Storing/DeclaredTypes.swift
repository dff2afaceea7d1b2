import Agronomy

/// The sensor types that a device declares: it may send those alone, or any when it declares none.
struct DeclaredTypes {
  /// The most undeclared types of a request for which the nearest one is looked for: each look takes some microseconds.
  static let maximumLooks = 16

  let names: [String]

  /// Splits readings into those that may be stored and those whose types are not declared.
  func admit(_ readings: [Reading]) -> (admitted: [Reading], refused: [Rejection]) {
    if names.isEmpty { return (readings, []) }
    var (admitted, refused): ([Reading], [Rejection]) = ([], [])
    var (last, lastIsDeclared): (SensorType?, Bool) = (nil, false)
    var nearest: [String: String] = [:]
    for reading in readings {
      // Readings of one type often stand together.
      if reading.type !== last { (last, lastIsDeclared) = (reading.type, names.contains(reading.type.name)) }
      if lastIsDeclared {
        admitted.append(reading)
        continue
      }
      let name = reading.type.name
      if nearest[name] == nil, nearest.count < Self.maximumLooks { nearest[name] = self.nearest(to: name) }
      refused.append(
        Rejection(index: reading.index, reason: .undeclaredType, type: reading.type, nearestType: nearest[name]))
    }
    return (admitted, refused)
  }

  /// The declared or known type that takes the fewest changes to become `name`; of equals, a declared one.
  private func nearest(to name: String) -> String? {
    let candidates = names + KnownSensor.allCases.map(\.rawValue)
    return candidates.min { Self.distance($0, name) < Self.distance($1, name) }
  }

  /// How many letters have to be inserted, removed or replaced to make one name of the other (Levenshtein 1965).
  static func distance(_ one: String, _ other: String) -> Int {
    let (one, other) = (Array(one.utf8), Array(other.utf8))
    var row = Array(0...other.count)
    for (i, letter) in one.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, otherLetter) in other.enumerated() {
        let replaced = diagonal + (letter == otherLetter ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
      }
    }
    return row[other.count]
  }
}
