import Values

/// Who makes a request.
enum Identity {
  case anonymous
  case user(UserIdentity)
  case device(DeviceIdentity)
}

/// A signed-in user.
struct UserIdentity: Sendable {
  let id: Identifier
  /// The session that the access token names.
  let session: Identifier
  let isAdministrator: Bool
}

/// A device that has shown its key.
struct DeviceIdentity: Sendable {
  let id: Identifier
  let garden: Identifier
}
