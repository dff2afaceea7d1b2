import Agronomy

/// The sensor types that a device says it measures: it may send those alone, or any when it says nothing.
struct DeclaredTypes {
  /// The most undeclared types of a request for which the nearest one is looked for: each look takes some microseconds.
  static let maximumLooks = 16

  let names: [String]

  /// Tells those readings that may be stored from those whose types are not declared.
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

  /// What is declared or known by a name that takes the fewest changes; of equals, what is declared.
  private func nearest(to name: String) -> String? {
    let candidates = names + KnownSensor.allCases.map(\.rawValue)
    return candidates.min { Self.distance($0, name) < Self.distance($1, name) }
  }

  /// How many letters have to be put in, taken out or replaced to make one name of the other (Levenshtein 1965).
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
