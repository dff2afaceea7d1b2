import HTTP
import Secrets
import Values

/// Authentication from the loop's memory alone, without waiting for a store.
extension Authentication {
  /// Sets the call's identity where nothing has to be waited for: where the identity does not matter, and for a user
  /// whose session is in the loop's memory. Returns false in every other case, also where the call is to be refused:
  /// then `identify` decides.
  func identifyAtOnce(_ call: Call) -> Bool {
    guard concerns(call) else { return true }
    guard call.request.headerCount("Authorization") == 1, let access = call.endpoint?.endpoint.access,
      let user = call.request.withHeader("Authorization", { knownUser($0, at: call.now) }) ?? nil
    else { return false }
    switch access {
    case .anyone, .user, .userOrDevice: break
    case .administrator where user.isAdministrator: break
    case .open, .device, .administrator: return false
    }
    call.identity = .user(user)
    call.request.share = .known
    return true
  }

  /// The user named by an `Authorization` field in the form that nearly all clients send: `Bearer`, one space and an
  /// access token.
  private func knownUser(_ field: UnsafeRawBufferPointer, at now: Timestamp) -> UserIdentity? {
    let scheme: StaticString = "Bearer "
    let count = scheme.utf8CodeUnitCount
    guard field.count > count,
      field.prefix(count).elementsEqual(UnsafeRawBufferPointer(start: scheme.utf8Start, count: count)),
      let claims = try? context.tokens.verify(UnsafeRawBufferPointer(rebasing: field[count...]), at: now),
      let role = context.sessions.knownRole(session: claims.session, user: claims.subject)
    else { return nil }
    return UserIdentity(id: claims.subject, session: claims.session, isAdministrator: role == .admin)
  }
}
