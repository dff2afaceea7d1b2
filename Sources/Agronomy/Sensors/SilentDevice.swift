import Values

/// A device that has not been heard of for longer than is usual for it.
package struct SilentDevice {
  package let device: Identifier
  package let name: String
  package let seenAt: Timestamp

  package init(device: Identifier, name: String, seenAt: Timestamp) {
    self.device = device
    self.name = name
    self.seenAt = seenAt
  }
}
