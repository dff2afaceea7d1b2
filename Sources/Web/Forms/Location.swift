import JSON
import Postgres
import Values

/// A place on Earth in degrees (WGS 84).
package struct Location: Equatable, JSONWritable {
  /// A tenth of a millimetre. A coordinate nearer to 0 becomes 0: where a product is too small for a double, Postgres
  /// fails ("underflow", 22003) instead of returning 0, and so do its indexes of points.
  static let leastDegrees = 1e-9

  package let latitude: Double
  package let longitude: Double

  init(latitude: Double, longitude: Double) {
    self.latitude = abs(latitude) < Self.leastDegrees ? 0 : latitude
    self.longitude = abs(longitude) < Self.leastDegrees ? 0 : longitude
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

  package static var schema: Schema { Rule.location.schema }
}

extension Rule where Value == Location {
  package static var location: Rule {
    .object(named: "Location") { fields in
      Location(
        latitude: fields.required("latitude", .number(-90...90)),
        longitude: fields.required("longitude", .number(-180...180)))
    }
  }
}
