import Agronomy
import JSON
import Postgres
import Web

/// The soil of a garden or a device: its kind, or limits of its own. A device's take precedence over its garden's, and
/// limits over those of the soil.
package struct Ground: Equatable {
  package var soil: Soil?
  /// Percent of volume.
  package var dryBelow: Double?
  package var wetAbove: Double?

  /// The columns that `init` reads, in their order.
  package static func columns(of table: String) -> String { "\(table).soil, \(table).dry_below, \(table).wet_above" }

  package init(soil: Soil? = nil, dryBelow: Double? = nil, wetAbove: Double? = nil) {
    self.soil = soil
    self.dryBelow = dryBelow
    self.wetAbove = wetAbove
  }

  package init(_ columns: inout Columns) throws {
    soil = try columns.next(String?.self).flatMap(Soil.init(rawValue:))
    dryBelow = try columns.next()
    wetAbove = try columns.next()
  }

  /// Reads the members of a body that makes something.
  init(_ fields: inout Fields) {
    soil = fields.optional("soil", .oneOf(Soil.self), Self.soilText)
    dryBelow = fields.optional("dryBelow", .moisture, Self.dryText)
    wetAbove = fields.optional("wetAbove", .moisture, Self.wetText)
    if !isInOrder { fields.fault("wetAbove", Self.disorder) }
  }

  /// The limits by which a probe in this ground is judged; `garden` has what the device does not say.
  package func limits(in garden: Ground = Ground()) -> MoistureLimits {
    let usual = MoistureLimits(soil ?? garden.soil ?? .assumed)
    return MoistureLimits(
      dryBelow: dryBelow ?? garden.dryBelow ?? usual.dryBelow, wetAbove: wetAbove ?? garden.wetAbove ?? usual.wetAbove)
  }

  func write(_ json: inout JSONWriter) {
    json.member("soil", soil?.rawValue)
    json.member("dryBelow", dryBelow)
    json.member("wetAbove", wetAbove)
  }

  static let members: [Schema.Property] = [
    .required("soil", .nullable(.cases(of: Soil.self)), soilText),
    .required("dryBelow", .nullable(Rule.moisture.schema), dryText),
    .required("wetAbove", .nullable(Rule.moisture.schema), wetText),
  ]

  fileprivate var isInOrder: Bool { (dryBelow ?? 0) < (wetAbove ?? .infinity) }
  fileprivate static let disorder = "must be more than dryBelow"
  fileprivate static let soilText = "The soil by which moisture is judged (FAO-56, table 19); `loam` by default."
  fileprivate static let dryText = "Percent of volume below which the soil is dry; depends on `soil` by default."
  fileprivate static let wetText = "Percent of volume above which roots lack air; depends on `soil` by default."
}

/// A change of the ground.
struct GroundChange {
  let soil: Patch<Soil>
  let dryBelow: Patch<Double>
  let wetAbove: Patch<Double>

  init(_ fields: inout Fields) {
    soil = fields.patch("soil", .oneOf(Soil.self), Ground.soilText)
    dryBelow = fields.patch("dryBelow", .moisture, Ground.dryText)
    wetAbove = fields.patch("wetAbove", .moisture, Ground.wetText)
  }

  /// Returns the ground after the change; throws when it would be dry and wet at once.
  func applied(to ground: Ground) throws(ValidationError) -> Ground {
    let changed = Ground(
      soil: soil.applied(to: ground.soil), dryBelow: dryBelow.applied(to: ground.dryBelow),
      wetAbove: wetAbove.applied(to: ground.wetAbove))
    if changed.isInOrder { return changed }
    // The fault is of a member that the client has sent.
    throw wetAbove == .absent
      ? ValidationError("/dryBelow", "must be less than wetAbove") : ValidationError("/wetAbove", Ground.disorder)
  }
}

extension Rule where Value == Double {
  /// Water in soil, in percent of volume.
  static var moisture: Rule { .number(0...100) }
}
