/// A kind of soil, which tells how much water roots can take from it. The raw value is part of the API.
package enum Soil: String, CaseIterable, Sendable {
  case sand
  case sandyLoam = "sandy-loam"
  case loam
  case clayLoam = "clay-loam"
  case clay

  /// The soil that is assumed where none is named.
  package static let assumed = Soil.loam
  /// The share of the available water that vegetables may use before they suffer (FAO-56, table 22: 0.3 to 0.6).
  static let depletion = 0.5
  /// The air that roots need, in percent of volume (Wesseling and van Wijk, 1957).
  static let airPercent = 10.0

  /// The water that it holds against gravity, in percent of volume: the middle of FAO-56, table 19, whose silt clay
  /// loam stands for clay loam.
  package var fieldCapacity: Double {
    switch self {
    case .sand: 12
    case .sandyLoam: 23
    case .loam: 25
    case .clayLoam: 33.5
    case .clay: 36
    }
  }

  /// The water that no root gets out of it, in percent of volume, from the same table.
  package var wiltingPoint: Double {
    switch self {
    case .sand: 4.5
    case .sandyLoam: 11
    case .loam: 12
    case .clayLoam: 20.5
    case .clay: 22
    }
  }

  /// The share of its volume that is not solid, in percent (Rawls, Brakensiek and Saxton, 1982, table 2).
  package var porosity: Double {
    switch self {
    case .sand: 43.7
    case .sandyLoam: 45.3
    case .loam: 46.3
    case .clayLoam: 46.4
    case .clay: 47.5
    }
  }
}

/// The shares of water between which soil is neither too dry nor too wet, in percent of volume.
package struct MoistureLimits: Equatable, Sendable {
  package let dryBelow: Double
  package let wetAbove: Double

  package init(dryBelow: Double, wetAbove: Double) {
    self.dryBelow = dryBelow
    self.wetAbove = wetAbove
  }

  /// The limits of a soil: half of the available water is used; roots have just enough air.
  package init(_ soil: Soil) {
    dryBelow = soil.fieldCapacity - Soil.depletion * (soil.fieldCapacity - soil.wiltingPoint)
    wetAbove = soil.porosity - Soil.airPercent
  }
}
