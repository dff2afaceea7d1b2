/// One member of a request that is not as it must be.
package struct Fault: Sendable, Equatable {
  /// Where it stands: a JSON Pointer (RFC 6901), `""` for the whole document.
  package let pointer: String
  /// What is wrong, as a phrase for clients: `must be an integer`.
  package let detail: String

  package init(_ pointer: String, _ detail: String) {
    self.pointer = pointer
    self.detail = detail
  }
}

/// A request that is JSON but not what its route takes, with all faults at once.
package struct ValidationError: Error, Equatable {
  package let faults: [Fault]

  package init(_ faults: [Fault]) { self.faults = faults }

  /// A single fault.
  package init(_ pointer: String, _ detail: String) { self.init([Fault(pointer, detail)]) }
}

/// Gathers the faults of one request, shared by the `Fields` of its objects.
package final class FaultList {
  /// The most faults that are kept; further ones are dropped.
  package static let capacity = 100

  package private(set) var faults: [Fault] = []
  /// All that were noted, the dropped ones too.
  private(set) var count = 0

  /// Whether further faults would be dropped, so that looking for them is idle.
  package var isFull: Bool { faults.count >= Self.capacity }

  init() {}

  package func append(_ pointer: String, _ detail: String) {
    count += 1
    if !isFull { faults.append(Fault(pointer, detail)) }
  }
}
