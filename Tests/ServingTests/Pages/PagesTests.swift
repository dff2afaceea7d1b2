import JSON
import Secrets
import Testing

@testable import Web

@Suite("Pages", .blocking)
struct PagesTests {
  private func client() throws -> Client { Client(try LiveServer.shared.get()) }

  @Test("carry a strict policy and a tag, and are answered 304 while they have not changed", arguments: pages)
  func headers(path: String) throws {
    let reply = try client().get(path)
    #expect(reply.status == 200)
    #expect(reply.header("content-type") == "text/html; charset=utf-8")
    let policy = try #require(reply.header("content-security-policy"))
    for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
      #expect(policy.contains(part))
    }
    #expect(!policy.contains("unsafe"))
    #expect(reply.header("referrer-policy") == "no-referrer")
    #expect(reply.header("x-content-type-options") == "nosniff")
    #expect(reply.header("cache-control") == "no-cache")
    let tag = try #require(reply.header("etag"))
    #expect(tag.hasPrefix("\""))
    let again = try client().get(path, headers: ["If-None-Match: \(tag)"])
    #expect(again.status == 304 && again.header("etag") == tag && again.body.isEmpty)
  }

  @Test("have no inline script or style, and load nothing from other servers", arguments: pages)
  func strictness(path: String) throws {
    let text = try client().get(path).text
    #expect(!text.contains("{{"))
    let places = text.split(separator: " aria-current=\"page\"", omittingEmptySubsequences: false)
    #expect(places.count == 2, "one link leads here")
    for forbidden in ["<style", " style=", "<script>", " onclick=", " onload=", "src=\"http", "url(http"] {
      #expect(!text.contains(forbidden), "\(forbidden)")
    }
    #expect(!text.contains("<link rel=\"stylesheet\" href=\"http"))
    #expect(text.hasPrefix("<!doctype html>\n<html lang=\"en\">"))
  }

  @Test("load files that are served with their types")
  func assets() throws {
    let types = ["css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"]
    for asset in Asset.all {
      let reply = try client().get("/assets/\(asset.name)")
      guard let type = types[String(asset.name.split(separator: ".").last!)] else {
        #expect(reply.status == 404, "a piece of a page is not served by itself")
        continue
      }
      #expect(reply.status == 200 && reply.body == asset.bytes && reply.header("content-type") == type)
    }
    #expect(try client().get("/assets/nothing.js").problem == "not-found")
  }

  @Test("name only files that exist", arguments: pages)
  func references(path: String) throws {
    let loaded = try client().get(path).text.split(separator: "\"").filter { $0.hasPrefix("/assets/") }
    #expect(!loaded.isEmpty)
    for part in loaded { #expect(Asset.all.contains { "/assets/\($0.name)" == part }, "\(part)") }
  }

  @Test("take at most 60 KiB with all that they load", arguments: pages)
  func weight(path: String) throws {
    var (toLoad, loaded) = ([path], [String: Int]())
    while let next = toLoad.popLast() {
      if loaded[next] != nil { continue }
      let text = try client().get(next).text
      loaded[next] = text.utf8.count
      // Files that a page names in an attribute, or a module in an import. Dynamic imports come after the data.
      for part in text.split(separator: "\"") where part.hasPrefix("/assets/") { toLoad.append(String(part)) }
      for part in text.split(separator: "\n") where part.hasPrefix("import ") {
        toLoad.append("/assets/\(part.split(separator: "\"")[1].dropFirst(2))")
      }
    }
    // The page of the reference grows with the API.
    if path == "/docs" { loaded[path] = nil }
    #expect(loaded.count > 2 && loaded.values.reduce(0, +) <= 60 * 1_024, "\(loaded)")
  }

  @Test("answer unknown paths for a browser that navigates, and all other clients get a problem")
  func unknownPaths() throws {
    for path in ["/garden", "/shops/", "/api/nothing"] {
      let page = try client().get(path, headers: [Self.navigation])
      #expect(page.status == 404 && page.header("content-type") == "text/html; charset=utf-8")
      #expect(page.text.contains("<h1>Nothing here</h1>") && page.text.contains("<main id=\"main\">"))
      #expect(page.header("content-security-policy")?.contains("default-src 'none'") == true)
      let problems = try [[], ["Accept: */*"], ["Accept: application/json, text/plain, */*"]].map { headers in
        try client().get(path, headers: headers)
      }
      #expect(problems.allSatisfy { $0.problem == "not-found" })
      for reply in problems + [page] {
        #expect(reply.header("vary") == "Accept" && reply.header("cache-control") == "no-store")
      }
    }
    // What a program asks for is answered for programs.
    #expect(try client().get("/api/gardens/x", headers: [Self.navigation]).header("content-type") != Self.html)
  }

  @Test("say that they are away while the database is, also to a browser that has a session")
  func away() throws {
    let server = try LiveServer()
    defer { server.stop() }
    let garden = "/gardens/\(try server.signedIn().client.makeGarden())"
    try server.losePostgres()
    // A session that the server has not seen: it has to ask for it before the page.
    let cookie = "Cookie: __Host-terroir=\(OpaqueKey.make(.sessionKey).text)"
    for headers in [[], [cookie]] {
      let page = try Client(server).get(garden, headers: headers + [Self.navigation])
      #expect(page.status == 503 && page.header("content-type") == Self.html)
      #expect(page.text.contains("<h1>Back in a moment</h1>") && page.header("retry-after") == "1")
      // It comes back by itself.
      #expect(page.header("refresh") == "10")
      let problem = try Client(server).get(garden, headers: headers)
      #expect(problem.status == 503 && problem.problem == "service-unavailable")
      #expect(problem.header("refresh") == nil)
      for reply in [page, problem] { #expect(reply.header("vary") == "Accept") }
    }
  }

  /// The `Accept` that Chromium sends for a page.
  private static let navigation =
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
  private static let html = "text/html; charset=utf-8"

  static let pages = [
    "/", "/register", "/password-reset", "/status", "/gardens", "/shops", "/shops/x", "/orders", "/account",
    "/invitations/x", "/docs",
  ]
}
