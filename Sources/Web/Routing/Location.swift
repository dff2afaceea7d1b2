import JSON
import Postgres
import Values

/// A place on Earth in degrees (WGS 84).
package struct Location: Equatable, JSONWritable {
  package let latitude: Double
  package let longitude: Double

  init(latitude: Double, longitude: Double) {
    self.latitude = latitude
    self.longitude = longitude
  }

  /// Reads two columns that are both NULL or neither.
  package init?(latitude: Double?, longitude: Double?) {
    guard let latitude, let longitude else { return nil }
    self.init(latitude: latitude, longitude: longitude)
  }

  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("latitude", latitude)
      json.member("longitude", longitude)
    }
  }

  package static let schema = Schema.named(
    "Location", .object([.required("latitude", latitudes), .required("longitude", longitudes)]))
  /// What a merge patch may name of it.
  package static let changeSchema = Schema.named(
    "LocationChange", .object([.optional("latitude", latitudes), .optional("longitude", longitudes)]))
  private static let latitudes = Schema.number(minimum: -90, maximum: 90)
  private static let longitudes = Schema.number(minimum: -180, maximum: 180)
}

extension Rule where Value == Location {
  package static var location: Rule {
    .object { fields in
      Location(
        latitude: fields.required("latitude", .number(-90...90)),
        longitude: fields.required("longitude", .number(-180...180)))
    }
  }
}
