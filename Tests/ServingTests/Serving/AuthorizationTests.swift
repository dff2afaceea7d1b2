import HTTP
import Testing
import Values

@testable import Gardens
@testable import Reference
@testable import Web

@Suite("Every route", .blocking)
struct AuthorizationTests {
  /// The statuses of each request about a private garden or a shop, for these callers: anonymous, a stranger, the
  /// garden's device, a viewer, an editor, a manager, the owner, an administrator, and the owner's tokens to read, to
  /// write and to order. Changes come with an `If-Match` that matches nothing, so that callers who may make them get
  /// 412. An account is erased only with the right password, and orders name unknown products: 403 and 422 are for all
  /// users. Of the callers who move an order, the second finds it moved: 409.
  private static let statuses: [String: [Int]] = [
    "getProfile": [401, 200, 403, 200, 200, 200, 200, 200, 200, 403, 403],
    "updateProfile": [401, 412, 403, 412, 412, 412, 412, 412, 403, 403, 403],
    "eraseAccount": [401, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403],
    "listSessions": [401, 200, 403, 200, 200, 200, 200, 200, 403, 403, 403],
    "endSession": [401, 404, 403, 404, 404, 404, 404, 404, 403, 403, 403],
    "signOut": [401, 204, 403, 204, 204, 204, 204, 204, 403, 403, 403],
    "listAccounts": [401, 403, 403, 403, 403, 403, 403, 200, 403, 403, 403],
    "updateAccount": [401, 403, 403, 403, 403, 403, 403, 404, 403, 403, 403],
    "createToken": [401, 201, 403, 201, 201, 201, 201, 201, 403, 403, 403],
    "listTokens": [401, 200, 403, 200, 200, 200, 200, 200, 403, 403, 403],
    "deleteToken": [401, 404, 403, 404, 404, 404, 404, 404, 403, 403, 403],
    "exportAccount": [401, 200, 403, 200, 200, 200, 200, 200, 200, 403, 403],
    "importAccount": [401, 200, 403, 200, 200, 200, 200, 200, 403, 200, 403],
    "listGardens": [200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403],
    "createGarden": [401, 201, 403, 201, 201, 201, 201, 201, 403, 201, 403],
    "getGarden": [404, 404, 404, 200, 200, 200, 200, 404, 200, 403, 403],
    "updateGarden": [401, 404, 403, 403, 403, 412, 412, 404, 403, 412, 403],
    "deleteGarden": [401, 404, 403, 403, 403, 403, 412, 404, 403, 412, 403],
    "getGardenLatest": [404, 404, 404, 200, 200, 200, 200, 404, 200, 403, 403],
    "streamGardenEvents": [404, 404, 404, 200, 200, 200, 200, 404, 200, 403, 403],
    "createEventTicket": [401, 404, 403, 201, 201, 201, 201, 404, 201, 403, 403],
    "inviteMember": [401, 404, 403, 403, 403, 201, 201, 404, 403, 403, 403],
    "listMembers": [401, 404, 403, 200, 200, 200, 200, 404, 200, 403, 403],
    "updateMember": [401, 404, 403, 403, 403, 404, 404, 404, 403, 403, 403],
    "removeMember": [401, 404, 403, 404, 404, 404, 404, 404, 403, 403, 403],
    "acceptInvitation": [401, 404, 403, 404, 404, 404, 404, 404, 403, 403, 403],
    "listDevices": [401, 404, 403, 200, 200, 200, 200, 404, 200, 403, 403],
    "createDevice": [401, 404, 403, 403, 201, 201, 201, 404, 403, 201, 403],
    "getDevice": [401, 404, 403, 200, 200, 200, 200, 404, 200, 403, 403],
    "updateDevice": [401, 404, 403, 403, 412, 412, 412, 404, 403, 412, 403],
    "deleteDevice": [401, 404, 403, 403, 403, 412, 412, 404, 403, 412, 403],
    "rotateDeviceKey": [401, 404, 403, 403, 200, 200, 200, 404, 403, 200, 403],
    "storeOwnReadings": [401, 403, 200, 403, 403, 403, 403, 403, 403, 403, 403],
    "getOwnDevice": [401, 403, 200, 403, 403, 403, 403, 403, 403, 403, 403],
    "storeReadings": [401, 404, 200, 403, 200, 200, 200, 404, 403, 200, 403],
    "importHistory": [401, 404, 403, 403, 200, 200, 200, 404, 403, 200, 403],
    "listGardenReadings": [404, 404, 404, 200, 200, 200, 200, 404, 200, 403, 403],
    "listReadings": [401, 404, 200, 200, 200, 200, 200, 404, 200, 403, 403],
    "createInsight": [401, 404, 403, 403, 409, 409, 409, 404, 403, 409, 403],
    "listInsights": [401, 404, 403, 200, 200, 200, 200, 404, 200, 403, 403],
    "getInsight": [401, 404, 403, 404, 404, 404, 404, 404, 404, 403, 403],
    "listChannels": [401, 200, 403, 200, 200, 200, 200, 200, 200, 403, 403],
    "createChannel": [401, 201, 403, 201, 201, 201, 201, 201, 403, 403, 403],
    "getChannel": [401, 404, 403, 404, 404, 404, 200, 404, 200, 403, 403],
    "updateChannel": [401, 404, 403, 404, 404, 404, 412, 404, 403, 403, 403],
    "deleteChannel": [401, 404, 403, 404, 404, 404, 412, 404, 403, 403, 403],
    "testChannel": [401, 404, 403, 404, 404, 404, 202, 404, 403, 403, 403],
    "confirmChannel": [401, 404, 403, 404, 404, 404, 200, 404, 403, 403, 403],
    "listDeliveries": [401, 404, 403, 404, 404, 404, 200, 404, 200, 403, 403],
    "listBusinesses": [200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 200],
    "getBusiness": [200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 200],
    "createBusiness": [401, 201, 403, 201, 201, 201, 201, 201, 403, 201, 403],
    "updateBusiness": [401, 403, 403, 403, 403, 403, 412, 403, 403, 412, 403],
    "deleteBusiness": [401, 403, 403, 403, 403, 403, 412, 403, 403, 412, 403],
    "listProducts": [200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 200],
    "getProduct": [200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 200],
    "createProduct": [401, 403, 403, 403, 403, 403, 201, 403, 403, 201, 403],
    "updateProduct": [401, 403, 403, 403, 403, 403, 412, 403, 403, 412, 403],
    "deleteProduct": [401, 403, 403, 403, 403, 403, 412, 403, 403, 412, 403],
    "createOrder": [401, 422, 403, 422, 422, 422, 422, 422, 403, 403, 422],
    "listOrders": [401, 200, 403, 200, 200, 200, 200, 200, 200, 403, 200],
    "getOrder": [401, 404, 403, 404, 404, 404, 200, 404, 200, 403, 200],
    "moveOrder": [401, 404, 403, 404, 404, 404, 200, 404, 403, 403, 409],
    "getRevenue": [401, 200, 403, 200, 200, 200, 200, 200, 200, 403, 200],
    "getGardenPage": [404, 404, 404, 200, 200, 200, 200, 404, 200, 403, 403],
    "getGardenPageData": [404, 404, 404, 200, 200, 200, 200, 404, 200, 403, 403],
  ]

  /// The endpoints that everyone may call; only that they are open is tested.
  private static let open: Set<String> = [
    "register", "requestPasswordReset", "resetPassword", "signIn", "signInByCookie", "refreshTokens", "getLiveness",
    "getStartup", "getReadiness", "getHealth",
    "getHealthChecks",
    "getVersion", "getMetrics", "getApiMetrics", "getHomePage", "getStatusPage", "getStatusData", "getStatusHistory",
    "getOpenAPIDocument",
    "getReferencePage", "getAsset", "getGardensPage", "getRegistrationPage", "getPasswordResetPage", "getShopsPage",
    "getShopPage",
    "getOrdersPage", "getInvitationPage", "getAccountPage",
  ]

  @Test("is listed here with who may call it")
  func complete() throws {
    let names = Set(try served(\.name))
    #expect(names.subtracting(Self.statuses.keys).subtracting(Self.open) == [], "routes that are not listed")
    #expect(Set(Self.statuses.keys).union(Self.open).subtracting(names) == [], "routes that are gone")
    #expect(Set(try served { $0.access == .open ? $0.name : nil }.compactMap { $0 }) == Self.open)
  }

  @Test("serves only those who may call it")
  func matrix() throws {
    let place = try Place()
    for request in try Self.ordered(served(place.request)) {
      let found = try place.callers.map { try place.status(of: request, by: $0) }
      #expect(found == Self.statuses[request.name], "\(request.name)")
    }
  }

  /// The requests that not everyone may send. Signing out comes last, since the caller's token is not good afterwards.
  private static func ordered(_ all: [Request]) -> [Request] {
    let requests = all.filter { !open.contains($0.name) }
    return requests.filter { $0.name != "signOut" } + requests.filter { $0.name == "signOut" }
  }

  @Test("treats the pages' cookie like a token, and changes nothing for a page of another origin")
  func cookies() throws {
    let place = try Place()
    let cookie = try place.ownersCookie()
    for request in try Self.ordered(served(place.request)) {
      let byOwner = try #require(Self.statuses[request.name]?[6])
      let foreign = try place.status(of: request, with: [cookie, "Sec-Fetch-Site: cross-site"])
      #expect(foreign == (request.method == "GET" ? byOwner : 403), "\(request.name) of another origin")
      let own = try place.status(of: request, with: [cookie, "Origin: http://test"])
      #expect(own == byOwner, "\(request.name)")
    }
  }

  /// A request without credentials.
  private struct Request {
    let name: String
    let method: String
    let target: String
    let type: String?
    let body: String?
  }

  /// An owner with one thing of each kind, and the callers who try to get at them.
  private struct Place {
    let server: LiveServer
    /// The callers' tokens, in the order of `statuses`.
    let callers: [String?]
    private let ids: [String: String]
    /// A device whose key is rotated, after which its earlier keys are no longer good.
    private let spare: String

    init() throws {
      server = try LiveServer.shared.get()
      let shop = try Shop(server)
      let product = try shop.offer()
      let (stranger, _) = try server.signedIn()
      let (buyer, _) = try server.signedIn()
      let order = try #require(try buyer.order(shop.id, [(product, 1)]).json["id"]?.text)
      let garden = try shop.owner.makeGarden()
      let device = try shop.owner.makeDevice(in: garden)
      spare = try shop.owner.makeDevice(in: garden).id
      let channel = try shop.owner.post(
        "/api/channels", #"{"kind":"webhook","target":"https://203.0.113.7/","events":["order"]}"#)
      let (administrator, _) = try server.signedIn(role: .admin)
      let tokens: [String?] = try TokenScope.allCases.map { try shop.owner.makeToken([$0]) }
      var members: [String?] = []
      for role in MemberRole.allCases {
        members.append(try shop.owner.share(garden, as: role, with: try server.signedIn().client).token)
      }
      callers = [nil, stranger.token, device.key] + members + [shop.owner.token, administrator.token] + tokens
      ids = [
        "gardens": garden, "devices": device.id, "businesses": shop.id, "shops": shop.id, "products": product,
        "orders": order, "channels": try #require(try channel.json["id"]?.text),
        "sessions": Self.nobody, "tokens": Self.nobody, "admin": Self.nobody,
      ]
    }

    /// An id that nothing has.
    static let nobody = "01890000-0000-7000-8000-000000000009"

    func request(_ endpoint: Endpoint) -> Request {
      let kind = endpoint.template.split(separator: "/").first { $0 != "api" }.map(String.init) ?? ""
      let id = endpoint.name == "rotateDeviceKey" ? spare : ids[kind]
      // With an id that nothing has, the test would show nothing: all callers are refused alike.
      #expect(id != nil || !endpoint.template.contains("{id}"), "the owner has none of \(kind)")
      let target = endpoint.template.replacing("{id}", with: id ?? Self.nobody)
        .replacing("{insightId}", with: Self.nobody).replacing("{memberId}", with: Self.nobody)
        .replacing("{token}", with: "nothing")
      return Request(
        name: endpoint.name, method: endpoint.method.text, target: target, type: endpoint.body?.mediaTypes.first,
        body: endpoint.body?.example)
    }

    /// The status of the answer, whose body may have no end. Sends the request again while that is 429 or 503, until a
    /// place is free.
    func status(of request: Request, by token: String?) throws -> Int {
      try status(of: request, with: token.map { ["Authorization: Bearer \($0)"] } ?? [])
    }

    func status(of request: Request, with credentials: [String]) throws -> Int {
      var status = 0
      _ = try holds {
        status = try answer(to: request, with: credentials)
        return status != 429 && status != 503
      }
      return status
    }

    /// The cookie of a session of the owner, as a browser sends it.
    func ownersCookie() throws -> String {
      let owner = Client(server, token: callers[6])
      let email = try #require(try owner.get("/api/users/me").json["email"]?.text)
      let reply = try Client(server).post(
        "/api/sessions/cookie", #"{"email":"\#(email)","password":"\#(LiveServer.password)"}"#,
        headers: ["Sec-Fetch-Site: same-origin"])
      return "Cookie: \(try #require(reply.header("set-cookie")).prefix { $0 != ";" })"
    }

    private func answer(to request: Request, with credentials: [String]) throws -> Int {
      var head = "\(request.method) \(request.target) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
      head += "Idempotency-Key: \(Identifier.make(unixMilliseconds: 0))\r\n"
      if request.method == "PATCH" || request.method == "DELETE" { head += "If-Match: \"of nothing\"\r\n" }
      for field in credentials { head += field + "\r\n" }
      if let type = request.type { head += "Content-Type: \(type)\r\n" }
      let body = request.body ?? ""
      if !body.isEmpty { head += "Content-Length: \(body.utf8.count)\r\n" }
      let wire = try Wire(port: server.port)
      try wire.send("\(head)\r\n\(body)")
      let answer = String(decoding: try wire.take(until: Array("\r\n".utf8)), as: UTF8.self)
      return Int(answer.dropFirst(9).prefix(3)) ?? 0
    }
  }
}
