import Testing

@testable import Values

@Test(
  "reads a URL into its parts",
  arguments: [
    ("http://collector:4318", "http", "collector", 4318, "", nil),
    ("HTTPS://api.example.org/v1?a=b?c", "https", "api.example.org", nil, "/v1", "a=b?c"),
    ("http://[::1]:80/", "http", "::1", 80, "/", nil), ("redis://h?x", "redis", "h", nil, "", "x"),
    ("http://[fe80::1]", "http", "fe80::1", nil, "", nil),
  ] as [(String, String, String, UInt16?, String, String?)])
func urlParts(text: String, scheme: String, host: String, port: UInt16?, path: String, query: String?) throws {
  let url = try #require(ServiceURL(text))
  #expect(url.scheme == scheme)
  #expect(url.host == host)
  #expect(url.port == port)
  #expect(url.path == path)
  #expect(url.query == query)
  #expect(url.user == nil)
  #expect(url.password == nil)
}

@Test(
  "reads user and password, percent-decoded, and never shows them",
  arguments: [
    ("redis://:secret@h", nil, "secret"), ("redis://u@h", "u", nil), ("redis://u:@h", "u", ""),
    ("redis://u:p%40ss:w@h", "u", "p@ss:w"), ("redis://a@b:c@h", "a@b", "c"),
  ] as [(String, String?, String?)])
func urlSecrets(text: String, user: String?, password: String?) throws {
  let url = try #require(ServiceURL(text))
  #expect(url.user == user)
  #expect(url.password == password)
  #expect(url.host == "h")
  #expect(url.description == "redis://h")
}

@Test(
  "splits the value of a Host field",
  arguments: [
    ("api.example.org", "api.example.org", nil), ("h:3000", "h", 3000), ("[::1]:80", "::1", 80), ("[::1]", "::1", nil),
  ] as [(String, String, UInt16?)])
func hosts(text: String, host: String, port: UInt16?) throws {
  let parts = try #require(ServiceURL.hostAndPort(text[...]))
  #expect(parts.host == host)
  #expect(parts.port == port)
}

@Test("refuses what is not a host and port", arguments: ["", ":80", "h:", "h:0", "h:65536", "[::1", "[::1]80"])
func badHosts(text: String) {
  #expect(ServiceURL.hostAndPort(text[...]) == nil)
}

@Test(
  "refuses what is not the URL of a service",
  arguments: [
    "", "h", "h:80", "//h", "http:/h", "http://", "http:///p", "http://:80", "http://h:", "http://h:0",
    "http://h:65536", "http://h:+80", "http://h:80x", "http://[::1", "http://[::1]80", "http://h h", "http://h/é",
    "http://h/#f", "1http://h", "ht tp://h", "http://u:%zz@h", "http://h\n",
  ])
func badURLs(text: String) {
  #expect(ServiceURL(text) == nil)
}

@Test(
  "appends a path, and returns the authority and target of a request",
  arguments: [
    ("http://h:4318", "http://h:4318/v1/traces", "h:4318", "/"),
    ("http://h/", "http://h/v1/traces", "h", "/"),
    ("http://[::1]:9/a/?q", "http://[::1]:9/a/v1/traces", "[::1]:9", "/a/?q"),
  ])
func urlJoining(text: String, joined: String, authority: String, target: String) throws {
  let url = try #require(ServiceURL(text))
  #expect(url.appending(path: "/v1/traces").description == joined)
  #expect(url.authority == authority)
  #expect(url.target == target)
}
