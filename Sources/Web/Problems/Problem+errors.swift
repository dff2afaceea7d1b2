import HTTP
import JSON
import Postgres
import Redis
import Secrets

extension Problem {
  /// Makes a problem of any error that a handler throws: the one place where errors become status codes.
  package init(_ error: any Error) {
    switch error {
    case let problem as Problem: self = problem
    case let error as ValidationError: self.init(error)
    case let error as JSONError:
      self.init(.malformed, "The body is not valid JSON. \(error.message)")
    case is CursorError: self.init(.invalidCursor, "The cursor does not belong to this list.")
    case let fault as RequestFault: self.init(fault)
    case let error as PostgresError: self.init(error)
    case is PasswordPoolError:
      self.init(.passwords)
    case let error as RedisError:
      self.init(.unavailable, "A store that this needs does not answer. Try again soon.", cause: "\(error)")
    default:
      self.init(.internal, "Something went wrong inside. It has been logged.", cause: "\(error)")
    }
  }

  init(_ error: ValidationError) {
    self.init(.validation, "The request is well formed, but not valid.", faults: error.faults)
  }

  /// What the HTTP layer found wrong; its details are written for clients.
  init(_ fault: RequestFault) {
    // The only fault with this status: there was no memory for a body that is read piece by piece.
    if fault.status == .serviceUnavailable {
      self.init(.memory)
      return
    }
    let code: Code =
      switch fault.status.rawValue {
      case 408: .timeout
      case 413: .contentTooLarge
      case 414: .uriTooLong
      case 417: .expectationFailed
      case 431: .headerTooLarge
      case 501: .notImplemented
      case 505: .versionNotSupported
      default: .malformed
      }
    self.init(code, fault.detail + ".")
  }

  /// An error of Postgres; its text is for the log alone.
  package init(_ error: PostgresError) {
    if error.outcomeIsUnknown {
      self.init(
        .outcomeUnknown,
        "The connection to the database was lost while this was stored: it may or may not have happened. Check before you send it again.",
        cause: error.description)
      return
    }
    switch error.kind {
    case .server where error.isForeignKeyViolation:
      self.init(.conflict, "Something that this belongs to was deleted in the meantime.", cause: error.description)
    case .unavailable, .timeout:
      self.init(.unavailable, "The database does not answer. Try again soon.", cause: error.description)
    case .overloaded:
      self.init(.database, cause: error.description)
    case .server where error.isLockTimeout:
      self.init(.unavailable, "Another request is changing the same thing. Try again soon.", cause: error.description)
    default:
      self.init(.internal, "Something went wrong inside. It has been logged.", cause: error.description)
    }
  }

  /// A refusal of the HTTP layer.
  init(_ refusal: Refusal) {
    switch refusal {
    case .malformed(let fault): self.init(fault)
    case .notFound: self.init(.notFound, "There is nothing at this path.")
    case .methodNotAllowed(let allow):
      self.init(.methodNotAllowed, "This path supports \(allow).")
      headers.append(("Allow", allow))
    case .methodUnknown: self.init(.notImplemented, "The server does not know this method.")
    case .overloaded(let overload): self.init(Limit(overload))
    case .failed(let error): self.init(error)
    }
  }
}
