import HTTP

/// Who may call an endpoint, and what an `Authorization` header means to it.
package enum Access {
  /// Anyone; `Authorization` is ignored.
  case open
  /// Anyone; a bearer token identifies the caller, and a bad one is refused.
  case anyone
  /// A signed-in user.
  case user
  /// A signed-in user or a device.
  case userOrDevice
  /// A device.
  case device
  /// A signed-in administrator.
  case administrator

  /// Whether anonymous callers are served.
  package var isPublic: Bool { self == .open || self == .anyone }

  /// The scopes of which a personal access token needs one, unless the endpoint says otherwise.
  func scopes(of method: HTTP.Method) -> [TokenScope] {
    switch self {
    case .open, .device, .administrator: []
    case .anyone, .user, .userOrDevice: method == .get ? [.read] : [.write]
    }
  }
}
