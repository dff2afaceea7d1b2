import Values

/// The names in Redis of what belongs to a garden's events.
struct EventKeys {
  let prefix: String

  /// The channel on which events are published. A message `check` says that a watcher may have lost access.
  func channel(_ garden: Identifier) -> String { "\(prefix)events:\(garden)" }

  /// The stream that keeps events.
  func stream(_ garden: Identifier) -> String { "\(prefix)events:\(garden):stream" }

  /// The mark that somebody watches, or did lately: without it no event is kept or published.
  func watched(_ garden: Identifier) -> String { "\(prefix)events:\(garden):watched" }
}
