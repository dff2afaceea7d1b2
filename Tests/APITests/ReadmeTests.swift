import Testing

@testable import API

@Test("the README's table of settings is the one that is declared")
func readmeTable() throws {
  let readme = String(#filePath.dropLast("Tests/APITests/ReadmeTests.swift".count)) + "README.md"
  let text = String(decoding: try #require(File.read(readme, maximumBytes: 1 << 20)), as: UTF8.self)
  let begin = try #require(text.firstRange(of: "<!-- settings: terroir config --markdown -->\n"))
  let end = try #require(text.firstRange(of: "<!-- end of settings -->"))
  #expect(text[begin.upperBound..<end.lowerBound] == Configuration.markdown[...])
}
