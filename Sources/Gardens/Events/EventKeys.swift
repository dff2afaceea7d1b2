import Values

/// The names of what Redis keeps of a garden's events.
struct EventKeys {
  let prefix: String

  /// Where events are told. A message that is `check` says that somebody may have lost access.
  func channel(_ garden: Identifier) -> String { "\(prefix)events:\(garden)" }

  /// Where events are kept.
  func stream(_ garden: Identifier) -> String { "\(prefix)events:\(garden):stream" }

  /// The mark that somebody watches, or did lately: without it nothing is kept or told.
  func watched(_ garden: Identifier) -> String { "\(prefix)events:\(garden):watched" }
}
