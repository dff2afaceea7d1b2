import JSON

/// What a merge patch does to a place: it may name one member alone (RFC 7386, section 2).
package struct LocationChange {
  let latitude: Double?
  let longitude: Double?

  /// Returns the place afterwards; throws when there was none and only one coordinate is given.
  func applied(to current: Location?) throws(ValidationError) -> Location {
    guard let latitude = latitude ?? current?.latitude else {
      throw ValidationError("/location/latitude", "is required")
    }
    guard let longitude = longitude ?? current?.longitude else {
      throw ValidationError("/location/longitude", "is required")
    }
    return Location(latitude: latitude, longitude: longitude)
  }
}

extension Patch<LocationChange> {
  /// Returns what becomes of the present place; throws when there was none and only one coordinate is given.
  package func applied(to current: Location?) throws(ValidationError) -> Location? {
    switch self {
    case .absent: current
    case .clear: nil
    case .set(let change): try change.applied(to: current)
    }
  }
}

extension Rule where Value == LocationChange {
  /// A place in a merge patch, which may name one coordinate alone.
  package static var locationChange: Rule {
    .object(named: "LocationChange") { fields in
      LocationChange(
        latitude: fields.change("latitude", .number(-90...90)),
        longitude: fields.change("longitude", .number(-180...180)))
    }
  }
}
