/// What became of the readings of one request.
struct StoredReadings {
  var accepted: [Reading] = []
  /// Readings that were there already, with the same value.
  var duplicates: [Reading] = []
  /// Readings whose key was there with another value.
  var conflicts: [Reading] = []

  static func += (all: inout StoredReadings, some: StoredReadings) {
    all.accepted += some.accepted
    all.duplicates += some.duplicates
    all.conflicts += some.conflicts
  }
}
