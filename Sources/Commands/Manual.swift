import Settings

/// The manual page, in the language of man(7), from the tables of commands and settings.
struct Manual {
  let commands: [Command]

  /// The page.
  var text: String {
    """
    .TH TERROIR 1 "" "terroir \(Self.escaped(Version.number))" "User Commands"
    .SH NAME
    terroir \\- an API server for growers and sellers
    .SH SYNOPSIS
    .B terroir
    .I COMMAND
    .RI [ OPTIONS ]
    .SH DESCRIPTION
    Growers keep gardens with sensor devices, whose readings are stored and evaluated for insights. Businesses list
    products, and people order them.
    .B terroir
    serves all of it over HTTP, from PostgreSQL and Redis.
    .SH COMMANDS
    \(commands.map(section).joined()).SH ENVIRONMENT
    Each variable may also be given as
    .IR NAME _FILE,
    the path of a file that holds the value. The server checks all of them at start and lists every fault.
    \(Configuration.settings.map(paragraph).joined()).SH EXIT STATUS
    \(Self.statuses.map { Self.paragraph("\($0)", $1) }.joined()).SH SIGNALS
    \(Self.signals.map { Self.paragraph($0, $1) }.joined()).SH FILES
    \(Self.paragraph("/etc/terroir/terroir.env", "The environment of the packaged service, one variable per line."))
    """
  }

  private static let statuses: [(Int32, String)] = [
    (ExitCode.success, "Success: it is done, or the server is well."),
    (ExitCode.failure, "Failure: it is not done, or the server is not well."),
    (ExitCode.unclear, "Too little was seen to tell."), (ExitCode.usage, "The command line was wrong."),
    (ExitCode.configuration, "The configuration was wrong."),
  ]

  private static let signals = [
    (
      "SIGTERM, SIGINT",
      """
      `terroir serve` says at /readyz that it is ending, finishes the requests in flight, and ends. A second signal \
      ends it at once.
      """
    ),
    (
      "SIGUSR2",
      "`terroir serve` starts the binary that is now at its path, and hands its sockets over once that one serves."
    ),
  ]

  private func section(_ command: Command) -> String {
    ".SS terroir \(Self.escaped(command.usage))\n\(Self.marked(command.summary))\n"
      + command.options.map { Self.paragraph($0.usage, $0.meaning) }.joined()
  }

  private func paragraph(_ setting: Setting) -> String {
    let names = setting.name + (setting.alias.map { ", \($0)" } ?? "")
    let fallback = setting.fallback.description
    return Self.paragraph(names, setting.meaning + (["", "``"].contains(fallback) ? "" : " Default: \(fallback)."))
  }

  private static func paragraph(_ tag: String, _ text: String) -> String {
    ".TP\n\\fB\(escaped(tag))\\fR\n\(marked(text))\n"
  }

  /// A text whose parts between backquotes are printed bold.
  private static func marked(_ text: String) -> String {
    let parts = text.split(separator: "`", omittingEmptySubsequences: false).map { escaped(String($0)) }
    return parts.enumerated().map { $0.offset % 2 == 1 ? "\\fB\($0.element)\\fR" : $0.element }.joined()
  }

  /// A text without what man(7) takes for a command: a backslash, a hyphen, a dot or quote at a line's beginning.
  private static func escaped(_ text: String) -> String {
    let body = text.map { character in
      switch character {
      case "\\": "\\e"
      case "-": "\\-"
      default: String(character)
      }
    }.joined()
    return body.hasPrefix(".") || body.hasPrefix("'") ? "\\&" + body : body
  }
}
