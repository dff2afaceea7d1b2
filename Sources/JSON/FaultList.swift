/// Gathers the faults of one request, shared by the `Fields` of its objects.
final class FaultList {
  /// The most faults that are kept; further ones are dropped.
  static let capacity = 100

  private(set) var faults: [Fault] = []
  /// The number of faults noted, including dropped ones.
  private(set) var count = 0

  /// Whether further faults would be dropped, so that looking for more is pointless.
  var isFull: Bool { faults.count >= Self.capacity }

  /// Notes a fault.
  func note(_ detail: String, at place: Place) {
    count += 1
    if !isFull { faults.append(Fault(place.pointer, detail)) }
  }

  /// Notes a fault and returns `placeholder`, which stands in for the faulty value.
  func note<Value>(_ detail: String, at place: Place, reading placeholder: Value) -> Value {
    note(detail, at: place)
    return placeholder
  }
}
