import Values

/// Who makes a request.
package enum Identity {
  case anonymous
  case user(UserIdentity)
  case device(DeviceIdentity)

  var isAnonymous: Bool { if case .anonymous = self { true } else { false } }

  /// The id of a user; nil for anyone else.
  package var user: Identifier? {
    if case .user(let user) = self { user.id } else { nil }
  }

  /// The user's or the device's id; nil for an anonymous caller.
  package var id: Identifier? {
    switch self {
    case .anonymous: nil
    case .user(let user): user.id
    case .device(let device): device.id
    }
  }
}

/// A signed-in user, or a program that acts for one.
package struct UserIdentity: Sendable {
  /// How the user was authenticated.
  package enum Credential: Sendable {
    case session(Identifier)
    /// A personal access token, and its digest.
    case token(Identifier, digest: [UInt8], [TokenScope])
  }

  package let id: Identifier
  package let credential: Credential
  var isAdministrator = false

  package init(id: Identifier, credential: Credential) {
    self.id = id
    self.credential = credential
  }

  init(id: Identifier, session: Identifier, isAdministrator: Bool) {
    self.init(id: id, credential: .session(session))
    self.isAdministrator = isAdministrator
  }

  /// The session by which the user is signed in; nil for a program.
  package var session: Identifier? {
    if case .session(let session) = credential { session } else { nil }
  }

  /// The personal access token of a program; nil for a signed-in user.
  package var token: Identifier? {
    if case .token(let token, _, _) = credential { token } else { nil }
  }

  /// Whether the credential has one of the scopes `wanted`; a session has all of them.
  func has(oneOf wanted: [TokenScope]) -> Bool {
    guard case .token(_, _, let scopes) = credential else { return true }
    return wanted.contains(where: scopes.contains)
  }
}

/// A device that has shown its key.
package struct DeviceIdentity: Sendable {
  package let id: Identifier
  package let garden: Identifier
  /// The sensor types that it declares, the only ones that it may send; where it declares none, it may send any.
  package let sensorTypes: [String]

  package init(id: Identifier, garden: Identifier, sensorTypes: [String]) {
    self.id = id
    self.garden = garden
    self.sensorTypes = sensorTypes
  }
}
