import Foundation
import JSON
import Postgres
import Testing
import Values

@testable import Commerce
@testable import Settings

@Suite("Businesses", .blocking)
struct BusinessesTests {
  private let server: LiveServer

  init() throws { server = try LiveServer.shared.get() }

  @Test("are opened, read by everyone, changed by merge patch and closed")
  func way() throws {
    let (owner, id) = try server.signedIn()
    let opened = try owner.post(
      "/api/businesses",
      #"{"name":"Hill Farm","category":"vegetables","description":"Two\nlines","location":{"latitude":47.1,"longitude":8.5}}"#
    )
    #expect(opened.status == 201)
    let path = try #require(opened.header("location"))
    let everyone = Client(server)
    let read = try everyone.get(path)
    #expect(read.status == 200 && read.body == opened.body)
    #expect(read.header("cache-control") == "no-cache")
    #expect(try read.json["ownerId"]?.text == "\(id)")
    let tag = try #require(read.header("etag"))
    #expect(!tag.hasPrefix("W/") && tag == opened.header("etag"))
    #expect(try everyone.get(path, headers: ["If-None-Match: \(tag)"]).status == 304)
    #expect(try everyone.send("HEAD", path).header("content-length") == read.header("content-length"))

    let changed = try owner.patch(
      path, #"{"description":null,"location":{"latitude":-1}}"#, headers: ["If-Match: \(tag)"])
    #expect(changed.status == 200)
    #expect(try changed.json["description"] == .null)
    #expect(try changed.json["location"]?["latitude"]?.number == -1)
    #expect(try changed.json["location"]?["longitude"]?.number == 8.5)
    #expect(try changed.json["name"]?.text == "Hill Farm")
    #expect(try everyone.get(path).body == changed.body)
    #expect(try owner.patch(path, "{}", headers: ["If-Match: \(tag)"]).problem == "precondition-failed")
    #expect(try owner.delete(path, headers: ["If-Match: \(tag)"]).status == 412)

    #expect(try owner.delete(path).status == 204)
    #expect(try everyone.get(path).problem == "not-found")
    #expect(try owner.delete(path).status == 404)
  }

  @Test("are refused with all faults of a new one at once")
  func faults() throws {
    let (owner, _) = try server.signedIn()
    let reply = try owner.post(
      "/api/businesses",
      #"{"name":"","category":"Fruit","description":7,"location":{"latitude":91},"owner":"me"}"#)
    #expect(reply.status == 422 && reply.problem == "validation-failed")
    #expect(
      reply.pointers == [
        "/name", "/category", "/description", "/location/latitude", "/location/longitude", "/owner",
      ])
    #expect(try owner.post("/api/businesses", "[]").pointers == [""])
    #expect(try owner.post("/api/businesses", "{").status == 400)
    #expect(try owner.send("POST", "/api/businesses", "{}", type: "text/plain").status == 415)
    let shop = try Shop(server)
    #expect(try shop.owner.patch(shop.path, #"{"name":null,"category":null}"#).pointers == ["/name", "/category"])
    #expect(try shop.owner.patch(shop.path, #"{"location":{"latitude":1}}"#).pointers == ["/location/longitude"])
  }

  @Test("are changed and closed by their owner alone")
  func ownership() throws {
    let shop = try Shop(server)
    let (stranger, _) = try server.signedIn()
    #expect(try Client(server).post("/api/businesses", #"{"name":"a","category":"a"}"#).status == 401)
    #expect(try Client(server).patch(shop.path, "{}").status == 401)
    #expect(try stranger.patch(shop.path, #"{"name":"Mine"}"#).problem == "forbidden")
    #expect(try stranger.delete(shop.path).problem == "forbidden")
    for path in ["/api/businesses/nonsense", "/api/businesses/\(Identifier.make(unixMilliseconds: 1))"] {
      #expect(try stranger.get(path).status == 404)
      #expect(try stranger.patch(path, "{}").status == 404)
      #expect(try stranger.delete(path).status == 404)
    }
    #expect(try Client(server).get(shop.path).json["name"]?.text == "Hill Farm")
  }

  @Test("are erased with their owner's account and their products, once none of their orders is open")
  func erased() throws {
    let shop = try Shop(server, name: "Gone Farm")
    let products = [try shop.offer(), try shop.offer("Kale")]
    let buyer = try server.signedIn().client
    let order = try #require(try buyer.order(shop.id, [(products[0], 1)]).json["id"]?.text)
    let password = #"{"password":"\#(LiveServer.password)"}"#
    #expect(try shop.owner.delete("/api/users/me", password).problem == "open-orders")
    #expect(try buyer.delete("/api/users/me", password).problem == "open-orders")
    // From here on the caches have them.
    for path in [shop.path, "\(shop.path)/products"] + products.map({ "/api/products/\($0)" }) {
      #expect(try buyer.get(path).status == 200)
    }
    #expect(try buyer.post("/api/orders/\(order)/transitions", #"{"to":"cancelled"}"#).status == 200)
    #expect(try shop.owner.delete("/api/users/me", password).status == 204)
    for path in [shop.path, "\(shop.path)/products"] + products.map({ "/api/products/\($0)" }) {
      #expect(try buyer.get(path).status == 404)
    }
    #expect(try buyer.get("/api/orders/\(order)").json["lines"]?.elements?.count == 1)
    let id = shop.id
    let left = try server.withDatabase { database in
      try await database.query(
        """
        SELECT name, (SELECT count(*) FROM products WHERE business_id = b.id) FROM businesses b
        WHERE id::text = \(id) AND owner_id IS NULL AND deleted_at IS NOT NULL
        """
      )[0].decode((String.self, Int.self))
    }
    #expect(left == ("(erased)", 0))
  }

  @Test("are found by words and category, page by page, the newest first")
  func listing() throws {
    let category = "cat-\(Identifier.make(unixMilliseconds: 1).description.prefix(30))"
    let shops = try ["Apple yard", "Pear and apple", "Quince & Co"].map {
      try Shop(server, name: $0, category: category)
    }
    let client = Client(server)
    func ids(_ query: String) throws -> [String] {
      let reply = try client.get("/api/businesses?category=\(category)&\(query)")
      return (try reply.json["items"]?.elements ?? []).compactMap { $0["id"]?.text }
    }
    #expect(try ids("") == shops.reversed().map(\.id))
    #expect(try ids("q=") == shops.reversed().map(\.id))
    #expect(try ids("q=APPLE") == [shops[1].id, shops[0].id])
    #expect(try ids("q=apple+-pear") == [shops[0].id])
    #expect(try ids("q=quince+or+yard") == [shops[2].id, shops[0].id])
    #expect(try ids("q=%22pear+and%22") == [shops[1].id])
    for odd in ["q=%27%3B--", "q=%26%7C%21", "q=%22", "q=%5C", "q=%3A%2A"] { #expect(try ids(odd) == []) }

    let first = try client.get("/api/businesses?category=\(category)&limit=2")
    #expect(first.header("etag")?.hasPrefix("W/") == true)
    let second = try client.get(try #require(first.next))
    #expect(try second.items.compactMap { $0["id"]?.text } == [shops[0].id])
    #expect(try second.json["nextCursor"] == .null && second.header("link") == nil)
    let cursor = try #require(try first.json["nextCursor"]?.text)
    #expect(try client.get("/api/businesses?category=other&cursor=\(cursor)").problem == "invalid-cursor")
    let long = String(repeating: "a", count: 201)
    for bad in ["category=A", "category=", "q=\(long)", "q=a%00b", "q=a&q=b", "limit=0", "cursor=x"] {
      #expect(try client.get("/api/businesses?\(bad)").status == 400)
    }
  }

  @Test("leave the cache as soon as another replica has committed a change")
  func replicas() throws {
    let first = try LiveServer()
    defer { first.stop() }
    let second = try LiveServer([
      "DATABASE_URL": first.databaseURL, "REDIS_PREFIX": first.configuration.redis.keyPrefix,
    ])
    defer { second.stop() }
    let shop = try Shop(first)
    let product = try shop.offer(stock: 5)
    let paths = [
      shop.path, "/api/businesses", "/api/businesses?q=farm", "\(shop.path)/products", "/api/products/\(product)",
    ]
    // Each finds the shop by its product in only one of the rounds.
    let searches = (1...5).map { "/api/businesses?q=leek+\($0)x" } + ["/api/businesses?q=parsnips"]
    // Several connections, so that all loops of both replicas take part.
    let readers = [first, second, first, second, first, second].map { Client($0) }
    func isFound(by search: String) throws -> [Bool] { try readers.map { try $0.get(search).text.contains(shop.id) } }
    let (everywhere, nowhere) = (readers.map { _ in true }, readers.map { _ in false })
    for _ in 0..<2 {
      for reader in readers { for path in paths + searches { #expect(try reader.get(path).status == 200) } }
    }
    for round in 1...5 {
      #expect(try shop.owner.patch(shop.path, #"{"name":"Farm \#(round)"}"#).status == 200)
      #expect(try isFound(by: searches[round - 1]) == nowhere)
      #expect(try shop.owner.patch("/api/products/\(product)", #"{"name":"Leek \#(round)x"}"#).status == 200)
      for reader in readers {
        for path in paths[..<3] { #expect(try reader.get(path).text.contains("Farm \(round)")) }
        for path in paths[3...] { #expect(try reader.get(path).text.contains("Leek \(round)")) }
      }
      #expect(try isFound(by: searches[round - 1]) == everywhere)
      if round > 1 { #expect(try isFound(by: searches[round - 2]) == nowhere) }
    }
    #expect(try isFound(by: searches[5]) == nowhere)
    let further = try shop.offer("Parsnips")
    #expect(try isFound(by: searches[5]) == everywhere)
    #expect(try shop.owner.delete("/api/products/\(further)").status == 204)
    #expect(try isFound(by: searches[5]) == nowhere)
    #expect(try shop.owner.delete(shop.path).status == 204)
    for reader in readers {
      #expect(try paths.map { try reader.get($0).status } == [404, 200, 200, 404, 404])
    }
  }

  private func names(_ client: Client, _ query: String) throws -> [String] {
    let reply = try client.get("/api/businesses?\(query)")
    #expect(reply.status == 200, "\(reply.text)")
    return try (reply.json["items"]?.elements ?? []).compactMap { $0["name"]?.text }
  }

  /// A word of letters only with which no other word begins.
  private static func unusedWord() -> String {
    let digits = "\(Identifier.make(unixMilliseconds: 0))".reversed().compactMap(\.hexDigitValue)
    return "q" + digits.map { String("abcdefghijklmnop".dropFirst($0).prefix(1)) }.joined()
  }

  @Test("are found by prefixes of words in their own and their products' names, without case and accents, best first")
  func search() throws {
    let word = Self.unusedWord()
    let bakery = try Shop(server, name: "B\u{e4}ckerei \(word)", category: "bread")
    let farm = try Shop(server, name: "Farm")
    let product = try farm.offer("Cr\u{e8}me \(word)")
    let everyone = Client(server)
    #expect(try holds { try names(everyone, "q=\(word)") == ["B\u{e4}ckerei \(word)", "Farm"] })
    #expect(try names(everyone, "q=BACK%20\(word.prefix(8))") == ["B\u{e4}ckerei \(word)"])
    #expect(try names(everyone, "q=creme%20\(word)&category=vegetables") == ["Farm"])
    #expect(try names(everyone, "q=\(word)%20-cr%C3%A8me") == ["B\u{e4}ckerei \(word)"])
    let pages = try everyone.pages(from: "/api/businesses?q=\(word)&limit=1")
    #expect(try pages.flatMap { try $0.items.compactMap { $0["name"]?.text } } == ["B\u{e4}ckerei \(word)", "Farm"])
    #expect(try farm.owner.delete("/api/products/\(product)").status == 204)
    #expect(try holds { try names(everyone, "q=creme%20\(word)").isEmpty })
    #expect(try names(bakery.owner, "owner=me") == ["B\u{e4}ckerei \(word)"])
    #expect(try everyone.get("/api/businesses?owner=me").status == 401)
  }

  @Test(
    "are found by each word, whatever punctuation precedes it, and whichever form of its letters is searched for",
    arguments: [
      ("Dorfladen St.Gallen", "gallen"), ("Dorfladen St.Gallen", "st gallen"), ("Dorfladen St.Gallen", "St. Gallen"),
      ("Dorfladen St.Gallen", "\"st. gallen\""), ("Dorfladen St.Gallen", "dorfladen gallen"),
      ("Eier/Milch", "milch eier"), ("Eier/Milch", "eier/milch"), ("Semmeln/Br\u{f6}tchen", "brotchen"),
      ("www.gruenehof.de/shop", "gruenehof"),
      ("info@hof-anna.de", "anna"), ("Honey_Jar", "jar"), ("Obst &amp; Kr\u{e4}uter <Bio>", "bio krauter"),
      ("Stra\u{df}e", "strasse"), ("STRASSE", "stra\u{df}e"), ("Mas\u{142}o", "maslo"),
      ("Wroc\u{142}aw", "wroc\u{142}aw"), ("R\u{f8}dgr\u{f8}d", "rodgrod"), ("\u{c6}bler", "aebler"),
      ("\u{152}ufs", "oeufs"), ("\u{110}\u{1eb7}ng", "dang"), ("I\u{11f}d\u{131}r", "igdir"),
      ("\u{642}\u{64e}\u{645}\u{652}\u{62d}\u{64c}", "\u{642}\u{645}\u{62d}"),
      ("\u{3a3}\u{399}\u{3a3}\u{3a5}\u{3a6}\u{39f}\u{3a3}", "\u{3c3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2}"),
      ("\u{645}\u{632}\u{631}\u{639}\u{640}\u{640}\u{629}", "\u{645}\u{632}\u{631}\u{639}\u{629}"),
      ("Sonnen\u{ad}blume", "sonnenblume"), ("Sonnenblume", "sonnen\u{ad}blume"),
      ("\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}", "\u{645}\u{6cc}\u{62e}\u{648}\u{627}\u{647}"),
      ("\u{feff}K\u{200d}a\u{2060}l\u{200e}e", "kale"), ("Mango\u{200b}Kiwi", "kiwi"),
    ])
  func signs(name: String, query: String) throws {
    let word = Self.unusedWord()
    let shop = try Shop(server, name: "Shop \(word)")
    _ = try shop.offer(name)
    let query = try #require("\(query) \(word)".addingPercentEncoding(withAllowedCharacters: .alphanumerics))
    #expect(try holds { try names(Client(server), "q=\(query)") == ["Shop \(word)"] })
  }

  @Test("are found by every name, even if names were added and changed at the same time")
  func searchTogether() throws {
    let everyone = Client(server)
    for round in 1...8 {
      let shop = try Shop(server)
      let before = try shop.offer("Before")
      let (path, token) = (shop.path, shop.owner.token)
      let words = (0..<5).map { "w\($0)r\(round)\(shop.id.filter { $0 != "-" })" }
      let statuses = try together(5) { [server] place in
        let owner = Client(server, token: token)
        return switch place {
        case 0: try owner.patch(path, #"{"name":"\#(words[0])"}"#).status
        case 1: try owner.patch("/api/products/\(before)", #"{"name":"\#(words[1])"}"#).status
        default:
          try owner.post(
            "\(path)/products",
            #"{"name":"\#(words[place])","price":{"amount":1,"currency":"EUR"},"unit":"kg"}"#
          ).status
        }
      }
      #expect(statuses == [200, 200, 201, 201, 201])
      for word in words { #expect(try names(everyone, "q=\(word)") == [words[0]]) }
    }
  }

  @Test("are limited in number for each owner, whether they are opened in parallel or imported")
  func bound() throws {
    let shop = try Shop(server)
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO businesses (id, owner_id, name, category, created_at, updated_at)
        SELECT gen_random_uuid(), \(shop.ownerID), 'Branch', 'vegetables', now(), now()
        FROM generate_series(1, \(BusinessInput.maximumOfOwner - 3))
        """)
    }
    let token = shop.owner.token
    let statuses = try together(4) { [server] _ in
      try Client(server, token: token).post("/api/businesses", #"{"name":"a","category":"a"}"#).status
    }
    #expect(statuses.sorted() == [201, 201, 409, 409])
    let file = """
      {"kind":"header","schema":1}
      {"kind":"business","id":"01890000-0000-7000-8000-000000000001","name":"a","category":"a"}
      """
    func take() throws -> Reply {
      try shop.owner.send("POST", "/api/users/me/import", file, type: "application/x-ndjson")
    }
    #expect(try take().problem == "conflict")
    #expect(try shop.owner.delete(shop.path).status == 204)
    #expect(try take().status == 200)
  }

  @Test("are limited in number for each owner even if all of them are closed again")
  func boundEver() throws {
    let shop = try Shop(server)
    try server.withDatabase { database in
      try await database.execute(
        """
        INSERT INTO businesses (id, owner_id, name, category, created_at, updated_at, deleted_at)
        SELECT gen_random_uuid(), \(shop.ownerID), 'Branch', 'vegetables', now(), now(), now()
        FROM generate_series(1, \(BusinessInput.maximumEver - 2))
        """)
    }
    let body = #"{"name":"a","category":"a"}"#
    let last = try shop.owner.post("/api/businesses", body)
    #expect(last.status == 201)
    #expect(try shop.owner.delete(try #require(last.header("location"))).status == 204)
    #expect(try shop.owner.post("/api/businesses", body).problem == "conflict")
    // Those that there are go on.
    #expect(try shop.owner.patch(shop.path, #"{"name":"Mill"}"#).status == 200)
  }

  @Test("that a user owns are listed for no other user, on any loop")
  func own() throws {
    let owners = try ["Mill", "Dairy"].map { (name: $0, token: try Shop(server, name: $0).owner.token) }
    // Each new connection may come to either loop.
    for _ in 1...16 {
      for owner in owners {
        #expect(try names(Client(server, token: owner.token), "owner=me") == [owner.name])
      }
      #expect(try Client(server).get("/api/businesses?owner=me").status == 401)
    }
  }

  @Test("that a user owns can be filtered by words, category and place, page by page")
  func ownFound() throws {
    let (owner, _) = try server.signedIn()
    let (stranger, _) = try server.signedIn()
    for client in [owner, stranger] {
      for (name, category, latitude) in [("Apples", "fruit", 10.0), ("Carrots", "veg", 10.1), ("Pears", "fruit", 30.0)]
      {
        let place = #"{"latitude":\#(latitude),"longitude":10}"#
        let made = try client.post(
          "/api/businesses", #"{"name":"\#(name)","category":"\#(category)","location":\#(place)}"#)
        #expect(made.status == 201)
      }
    }
    for (query, expected) in [
      ("", ["Pears", "Carrots", "Apples"]), ("&category=fruit", ["Pears", "Apples"]), ("&category=bread", []),
      ("&q=carrots", ["Carrots"]), ("&q=carrots&category=fruit", []), ("&near=10,10", ["Apples", "Carrots"]),
      ("&near=10.1,10", ["Carrots", "Apples"]), ("&near=10,10&category=fruit", ["Apples"]),
      ("&near=10,10&q=car", ["Carrots"]), ("&near=50,50", []),
    ] {
      let pages = try owner.pages(from: "/api/businesses?owner=me&limit=1\(query)")
      #expect(try pages.flatMap { try $0.items.compactMap { $0["name"]?.text } } == expected, "\(query)")
    }
    #expect(try owner.get("/api/businesses?owner=me&near=x").status == 400)
    for query in ["q=pears", "near=10,10"] {
      #expect(try Client(server).get("/api/businesses?owner=me&\(query)").status == 401)
      let cursor = try owner.get("/api/businesses?owner=me&limit=1&q=e").json["nextCursor"]?.text ?? ""
      #expect(try stranger.get("/api/businesses?owner=me&\(query)&cursor=\(cursor)").problem == "invalid-cursor")
    }
  }

  @Test("and public gardens are found around a place, nearest first, across the date line too")
  func nearby() throws {
    let (owner, _) = try server.signedIn()
    let category = "c" + "\(Identifier.make(unixMilliseconds: 0))".filter { $0 != "-" }
    for (name, longitude) in [("West", -179.9), ("Far", 170.0), ("East", 179.95), ("Here", 180.0)] {
      let place = #""location":{"latitude":-17,"longitude":\#(longitude)}"#
      #expect(
        try owner.post("/api/businesses", #"{"name":"\#(name)","category":"\#(category)",\#(place)}"#).status == 201)
      #expect(try owner.post("/api/gardens", #"{"name":"\#(name)","public":true,\#(place)}"#).status == 201)
    }
    #expect(try owner.post("/api/businesses", #"{"name":"Nowhere","category":"\#(category)"}"#).status == 201)
    let near = "near=-17.0,180&category=\(category)"
    #expect(try names(owner, near) == ["Here", "East", "West"])
    #expect(try names(owner, near + "&within=8") == ["Here", "East"])
    #expect(try names(owner, near + "&q=wes") == ["West"])
    let gardens = try owner.get("/api/gardens?near=-17,180&within=8").json["items"]?.elements
    #expect(gardens?.prefix(2).compactMap { $0["name"]?.text } == ["Here", "East"])
    for query in ["near=1", "near=91,0", "near=a,b", "near=1,2&within=501", "within=3", "near=1,2&within=x"] {
      #expect(try owner.get("/api/businesses?\(query)").status == 400, "\(query)")
      #expect(try owner.get("/api/gardens?\(query)").status == 400, "\(query)")
    }
  }

  @Test("with a coordinate next to zero are stored at zero, and earlier rows that were not are still found")
  func nextToNothing() throws {
    let (owner, _) = try server.signedIn()
    let category = "c" + "\(Identifier.make(unixMilliseconds: 0))".filter { $0 != "-" }
    let made = try owner.post(
      "/api/businesses",
      #"{"name":"New","category":"\#(category)","location":{"latitude":51.5,"longitude":1e-170}}"#)
    #expect(made.status == 201)
    #expect(try made.json["location"]?["longitude"]?.number == 0)
    let moved = try owner.patch(try #require(made.header("location")), #"{"location":{"latitude":5e-324}}"#)
    #expect(try moved.json["location"]?["latitude"]?.number == 0)
    let old = try #require(Identifier(try made.json["id"]?.text ?? ""))
    let least = Double.leastNonzeroMagnitude
    let places = [(51.5, 1e-170, "51.5"), (1e-170, 0, "0"), (least, -least, "0"), (0, least, "0")]
    for (index, (latitude, longitude, parallel)) in places.enumerated() {
      // As the previous release stored it.
      try server.withDatabase { database in
        try await database.execute(
          "UPDATE businesses SET latitude = \(latitude), longitude = \(longitude) WHERE id = \(old)")
      }
      for near in ["\(parallel),0", "\(parallel),0.0000000000001"] {
        // A different search each time, so that no answer to it is remembered.
        #expect(try names(owner, "near=\(near)&within=\(index + 1)&category=\(category)") == ["New"], "\(near)")
      }
    }
  }
}
