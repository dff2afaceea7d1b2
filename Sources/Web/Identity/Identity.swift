import Values

/// Who makes a request.
package enum Identity {
  case anonymous
  case user(UserIdentity)
  case device(DeviceIdentity)
}

/// A signed-in user.
package struct UserIdentity: Sendable {
  package let id: Identifier
  /// The session that the access token names.
  package let session: Identifier
  let isAdministrator: Bool
}

/// A device that has shown its key.
package struct DeviceIdentity: Sendable {
  package let id: Identifier
  package let garden: Identifier
  /// The sensor types that it declares; it may send no others, unless there are none.
  package let sensorTypes: [String]

  package init(id: Identifier, garden: Identifier, sensorTypes: [String]) {
    self.id = id
    self.garden = garden
    self.sensorTypes = sensorTypes
  }
}
