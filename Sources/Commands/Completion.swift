/// A shell that can complete `terroir`.
enum Completion: String, CaseIterable {
  case bash, zsh, fish

  /// The script that the shell has to read.
  func script(_ expectations: [Expectation]) -> String {
    switch self {
    case .bash: Self.bash(expectations)
    case .zsh: Self.zsh(expectations)
    case .fish: Self.fish(expectations)
    }
  }

  private static func bash(_ expectations: [Expectation]) -> String {
    let cases = expectations.map { expectation in
      """
          \(pattern(expectation)))
            candidates=\(quoted(expectation.candidates.map(\.word).joined(separator: " ")))
            valued=\(quoted(expectation.valued.joined(separator: " "))) ;;

      """
    }
    return """
      # Completes terroir in bash; written by `terroir completions bash`.
      _terroir() {
        local typed=' ' candidates='' valued='' word
        for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
          [[ $word == -* ]] || typed+="$word "
        done
        case $typed in
      \(cases.joined())  esac
        COMPREPLY=()
        [[ " $valued " == *" ${COMP_WORDS[COMP_CWORD-1]} "* ]] ||
          mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "${COMP_WORDS[COMP_CWORD]}")
      }
      complete -F _terroir terroir

      """
  }

  private static func zsh(_ expectations: [Expectation]) -> String {
    let cases = expectations.map { expectation in
      let candidates = expectation.candidates.map { quoted("\($0.word):\($0.meaning)") }
      return """
            \(pattern(expectation)))
              candidates=(\(candidates.joined(separator: " ")))
              valued=(\(expectation.valued.joined(separator: " "))) ;;

        """
    }
    return """
      #compdef terroir
      # Completes terroir in zsh; written by `terroir completions zsh`.
      _terroir() {
        local -a candidates valued
        local typed=" ${(j: :)${(@)words[2,CURRENT-1]:#-*}} "
        case ${typed/#  / } in
      \(cases.joined())  esac
        (( ${valued[(Ie)${words[CURRENT-1]}]} )) || _describe terroir candidates
      }
      _terroir "$@"

      """
  }

  private static func fish(_ expectations: [Expectation]) -> String {
    let lines = expectations.flatMap { expectation in
      expectation.candidates.map { candidate in
        let place = quoted("__terroir_typed \(quoted(pattern(expectation, quote: false), inFish: true))", inFish: true)
        let isOption = candidate.word.hasPrefix("--")
        let word = isOption ? "-l \(candidate.word.dropFirst(2))" : "-a \(candidate.word)"
        let value = expectation.valued.contains(candidate.word) ? " -x" : ""
        let meaning = candidate.meaning.isEmpty ? "" : " -d \(quoted(candidate.meaning, inFish: true))"
        return "complete -c terroir -n \(place) \(word)\(value)\(meaning)\n"
      }
    }
    return """
      # Completes terroir in fish; written by `terroir completions fish`.
      function __terroir_typed
          set -l words (commandline -opc)
          set -e words[1]
          set -l typed ' '
          for word in $words
              string match --quiet -- '-*' $word; or set typed "$typed$word "
          end
          string match --quiet -- $argv[1] $typed
      end
      complete -c terroir -f
      \(lines.joined())
      """
  }

  /// A pattern of what was typed, with a blank before and behind each word.
  private static func pattern(_ expectation: Expectation, quote: Bool = true) -> String {
    let typed = " " + expectation.words.map { "\($0) " }.joined()
    return (quote ? "'\(typed)'" : typed) + (expectation.isOpen ? "*" : "")
  }

  /// Quotes a text, so that the shell takes it as one word, literally.
  private static func quoted(_ text: String, inFish: Bool = false) -> String {
    let characters = text.map { character in
      switch character {
      case "'": inFish ? "\\'" : "'\\''"
      case "\\" where inFish: "\\\\"
      default: String(character)
      }
    }
    return "'\(characters.joined())'"
  }
}
