/// What `ConnectionState` tells `Connection` to do.
extension ConnectionState {
  /// What to do with the bytes that the socket has.
  enum Read {
    case use
    case drop
    /// Leave them, and have epoll not report them.
    case pause
    case nothing
  }

  /// What to do with the bytes that were read.
  enum Use {
    case parseHead
    case takeBody
    /// Give them to the handler that takes the body piece by piece.
    case passBody
    case nothing
  }

  enum Action: Equatable {
    case none
    /// Use what was read.
    case process
    /// Have epoll report bytes again, and use what was read.
    case resume
    /// Give the empty input's memory back.
    case releaseInput
    /// Send what is left, then call `sent`.
    case sendLast
    /// Shut down our side, and close.
    case finish
    /// Shut down our side, and drop what comes.
    case linger
    case close
    /// Close with a reset.
    case abort
    /// Close, unless a request has just come.
    case closeIdle
    /// Answer a head that did not come in time.
    case refuseHead
    /// Refuse a body that is not whole, or fail the stream of its handler.
    case failBody(BodyFailure)
  }

  /// Why a body is not whole.
  enum BodyFailure {
    case early
    case late
  }

  /// Who was waiting for something from a connection that is closed.
  enum Waiter {
    case nobody
    /// The client, for an answer whose handler was not called yet.
    case client
    case handler
  }
}
