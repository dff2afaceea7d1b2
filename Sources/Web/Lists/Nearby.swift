import Glibc
import HTTP
import Values

/// `near=LAT,LON&within=KM`: what lies around a place, the nearest first.
package struct Nearby {
  /// The largest radius, in kilometres.
  static let maximumKilometres = 500.0
  static let defaultKilometres = 25.0
  /// The Earth's mean radius, in kilometres.
  private static let earthRadius = 6_371.0088
  /// One degree of latitude, in kilometres, on a sphere of that radius.
  private static let degree = earthRadius * .pi / 180

  package static let parameters: [Endpoint.Parameter] = [
    .query(
      "near", .string(pattern: "^-?[0-9.]+,-?[0-9.]+$"),
      "`latitude,longitude`: only items located around this place, nearest first."),
    .query(
      "within", .number(minimum: 0, maximum: maximumKilometres),
      "With `near`, the largest distance in kilometres; \(Int(defaultKilometres)) by default."),
  ]

  package let latitude: Double
  package let longitude: Double
  package let kilometres: Double

  /// Nil when the query does not ask for it; throws 400 for what is no place or too far.
  package init?(_ query: Query) throws {
    let within = try query.decimal("within", 0...Self.maximumKilometres)
    guard let text = try query.value("near") else {
      if within != nil { throw Problem(.malformed, "within needs near.") }
      return nil
    }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count == 2, let latitude = Query.decimal(parts[0]), let longitude = Query.decimal(parts[1]),
      (-90...90).contains(latitude), (-180...180).contains(longitude)
    else { throw Problem(.malformed, "near must be latitude,longitude in degrees, such as 48.14,11.58.") }
    self.latitude = latitude
    self.longitude = longitude
    kilometres = within ?? Self.defaultKilometres
  }

  /// The search as text that tells it from others, in keys and cursors.
  package var text: String { "\(latitude),\(longitude),\(kilometres)" }

  /// A box of degrees that surely holds the circle, for the index, and one for what of it lies beyond the date line, as
  /// SQL's text. Where nothing does, both are the same.
  package var boxes: (String, String) {
    let height = kilometres / Self.degree + 1e-6
    let (south, north) = (max(-90, latitude - height), min(90, latitude + height))
    let farthest = max(abs(south), abs(north))
    // Around a pole lie all meridians.
    let width = farthest >= 90 ? 360 : min(360, height / cos(farthest * .pi / 180))
    func box(_ west: Double, _ east: Double) -> String { "(\(west),\(south)),(\(east),\(north))" }
    let (west, east) = (longitude - width, longitude + width)
    let main = box(max(-180, west), min(180, east))
    if west < -180 { return (main, box(max(-180, west + 360), 180)) }
    if east > 180 { return (main, box(-180, min(180, east - 360))) }
    return (main, main)
  }

  /// The distance from the place whose latitude and longitude are parameters, in kilometres along a great circle.
  package static func distance(latitude: String, longitude: String) -> String {
    """
    (2 * \(earthRadius) * asin(sqrt(least(1, \(haversine("(latitude - \(latitude)::float8)"))
      + \(cosine("\(latitude)::float8")) * \(cosine("latitude")) * \(haversine("(longitude - \(longitude)::float8)"))))))
    """
  }

  // Rows stored before `leastDegrees` may be nearer to 0 than places are now, and so may the place that is asked for.
  private static func haversine(_ degrees: String) -> String {
    "CASE WHEN abs(\(degrees)) < \(Location.leastDegrees) THEN 0 ELSE power(sin(radians(\(degrees)) / 2), 2) END"
  }

  private static func cosine(_ degrees: String) -> String {
    "CASE WHEN abs(\(degrees)) < \(Location.leastDegrees) THEN 1 ELSE cos(radians(\(degrees))) END"
  }

  /// The condition that a row's point lies in one of the `boxes`, as an index on it can tell.
  package static func isWithin(_ one: String, _ other: String) -> String {
    "(point(longitude, latitude) <@ \(one)::text::box OR point(longitude, latitude) <@ \(other)::text::box)"
  }
}
