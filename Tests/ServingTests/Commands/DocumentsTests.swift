import Glibc
import Testing

@testable import Accounts
@testable import Commands
@testable import Settings

private let commands: [Command] = [.healthcheck, .watch, .config, .promote, .completions, .manual, .version]

/// What bash offers at the end of a line of `words`, separated by blanks.
private func offered(_ words: [String]) throws -> String {
  let folder = "/tmp/terroir-completion-\(getpid())-\(UInt64.random(in: .min ... .max))"
  defer { _ = try? shell("rm -rf \(folder)") }
  let script = Completion.bash.script(Expectation.all(of: commands))
  try shell("mkdir -p \(folder) && cat >\(folder)/script <<'SCRIPT'\n\(script)SCRIPT\n")
  let line = words.map { "'\($0)'" }.joined(separator: " ")
  try shell(
    """
    bash --norc -c '. '\(folder)'/script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _terroir; echo "${COMPREPLY[*]}"' \
    bash terroir \(line) >\(folder)/offered
    """)
  let bytes = try #require(File.read("\(folder)/offered", maximumBytes: 65_536))
  return String(decoding: bytes.dropLast(), as: UTF8.self)
}

@Test(
  "bash completes commands, the words after them, options and choices, but not the value of an option",
  arguments: [
    ([""], "healthcheck watch config user completions manual version help"), (["wa"], "watch"),
    (["user", ""], "promote"), (["user", "promote", "-"], "--help"), (["completions", ""], "bash zsh fish --help"),
    (["watch", "--max"], "--max-error-ratio --max-p95"), (["watch", "--url", ""], ""),
    (["watch", "--url", "x", "--js"], "--json"), (["help", "conf"], "config"), (["nonsense", ""], ""),
  ])
func bashCompletion(words: [String], expected: String) throws {
  #expect(try offered(words) == expected)
}

@Test("every shell's completion names every command and option", arguments: Completion.allCases)
func completionsAreWhole(shell: Completion) {
  let script = shell.script(Expectation.all(of: commands))
  for command in commands {
    for word in command.words { #expect(script.contains(word)) }
    for option in command.options { #expect(script.contains(option.name.dropFirst(2))) }
  }
}

@Test("the manual names every command, option and setting, and none of its text is taken for a roff macro")
func manualIsWhole() {
  let text = Manual(commands: commands).text
  let plain = text.replacing("\\-", with: "-")
  for command in commands {
    #expect(plain.contains(".SS terroir \(command.usage)\n"))
    for option in command.options { #expect(plain.contains("\\fB\(option.name)")) }
  }
  for setting in Configuration.settings { #expect(plain.contains("\\fB\(setting.name)")) }
  let macros = Set([".TH", ".SH", ".SS", ".B", ".I", ".RI", ".IR", ".TP"])
  for line in text.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
    #expect(macros.contains(String(line.prefix { $0 != " " })), "\(line)")
  }
}
