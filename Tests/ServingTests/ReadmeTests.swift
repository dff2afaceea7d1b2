import Testing

@testable import Gardens
@testable import Settings

@Test("the README's table of settings is that of the declared settings")
func readmeTable() throws {
  let text = try Repository.text(of: "README.md")
  let begin = try #require(text.firstRange(of: "<!-- settings: terroir config --markdown -->\n"))
  let end = try #require(text.firstRange(of: "<!-- end of settings -->"))
  #expect(text[begin.upperBound..<end.lowerBound] == Configuration.markdown[...])
}

@Test("the runbook names only reasons for which readings are rejected, and queries Postgres with its password")
func runbookWords() throws {
  let text = try Repository.text(of: "docs/runbook.md")
  let section = try #require(text.split(separator: "### ").first { $0.hasPrefix("ReadingsRejected\n") })
  let advice = try #require(section.split(separator: "**Do.**").last).split(separator: "Whose device")[0]
  let named = advice.split(separator: "`", omittingEmptySubsequences: false).enumerated()
    .filter { $0.offset % 2 == 1 }.map { String($0.element) }
  #expect(named.count >= 3)
  for reason in named { #expect(RejectionReason(rawValue: reason) != nil, "\(reason)") }
  // `sql` in the container of Postgres knows the password.
  #expect(text.contains("docker compose exec postgres sql"))
  #expect(!text.contains(/docker compose exec[^`]*psql/))
}

@Test("the runbook's search for failed sign-ins finds those of programs and of pages")
func runbookFindsFailedSignIns() throws {
  let text = try Repository.text(of: "docs/runbook.md")
  let section = try #require(text.split(separator: "### ").first { $0.hasPrefix("LoginFailures\n") })
  let pattern = try #require(section.split(separator: "'").first { $0.hasPrefix("\"route\"") })
  for route in ["/api/sessions", "/api/sessions/cookie"] {
    #expect(try Regex(String(pattern)).firstMatch(in: #"{"route":"\#(route)","statusCode":401}"#) != nil, "\(route)")
  }
}
