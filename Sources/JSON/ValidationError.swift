/// One fault in the JSON of a request.
package struct Fault: Sendable, Equatable {
  /// A JSON Pointer (RFC 6901) to the faulty value, `""` for the whole document.
  package let pointer: String
  /// What is wrong, as a phrase for clients: `must be an integer`.
  package let detail: String

  package init(_ pointer: String, _ detail: String) {
    self.pointer = pointer
    self.detail = detail
  }
}

/// A request that is JSON but not what its route takes; carries its faults, at most `FaultList.capacity`.
package struct ValidationError: Error, Equatable {
  package let faults: [Fault]

  package init(_ faults: [Fault]) { self.faults = faults }

  /// A single fault.
  package init(_ pointer: String, _ detail: String) { self.init([Fault(pointer, detail)]) }
}
