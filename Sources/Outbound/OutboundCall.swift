import CCurl
import Glibc
import HTTP
import Values

/// One call to another server, as libcurl performs it; its handle is freed with it (invariant 6).
final class OutboundCall {
  /// The longest answer that is read, in bytes; a longer one is an error.
  static let maximumAnswerBytes = 1 << 20
  /// The longest header section of an answer, in bytes.
  static let maximumHeaderBytes = 64 << 10

  let easy: UnsafeMutableRawPointer
  private var lists: [UnsafeMutablePointer<curl_slist>] = []
  private let reason = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  private var admits: (@Sendable (PeerAddress) -> Bool)?
  /// What went wrong on this side, which libcurl cannot know.
  private var fault: String?
  private var answer = OutboundResponse()
  private var headerBytes = 0
  private var upload: ArraySlice<UInt8> = []
  /// Whether the upload has begun.
  private var hasGiven = false

  // Once for the process, before anything else of libcurl's.
  private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  /// Makes a call with the options of all calls; those of its kind are still to be set.
  private init(schemes: String) {
    guard Self.isReady, let easy = curl_easy_init() else { fatalError("libcurl has no memory") }
    self.easy = easy
    reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    let owner = Unmanaged.passUnretained(self).toOpaque()
    set(CURLOPT_NOSIGNAL, 1)
    // A name that is still being looked up when the deadline comes is left to its thread: waiting would stop the loop.
    set(CURLOPT_QUICK_EXIT, 1)
    set(CURLOPT_PROTOCOLS_STR, schemes)
    set(CURLOPT_USERAGENT, "terroir")
    ccurl_set_pointer(easy, CURLOPT_ERRORBUFFER, reason)
    ccurl_set_pointer(easy, CURLOPT_WRITEDATA, owner)
    ccurl_set_transport(easy, CURLOPT_WRITEFUNCTION) { OutboundCall.of($3).take(body: OutboundCall.bytes($0, $1, $2)) }
    ccurl_set_pointer(easy, CURLOPT_HEADERDATA, owner)
    ccurl_set_transport(easy, CURLOPT_HEADERFUNCTION) {
      OutboundCall.of($3).take(header: OutboundCall.bytes($0, $1, $2))
    }
  }

  /// Throws `OutboundError` for a URL that libcurl cannot read.
  convenience init(_ request: OutboundRequest) throws(OutboundError) {
    self.init(schemes: "http,https")
    try set(url: request.url)
    set(CURLOPT_CUSTOMREQUEST, request.method)
    // Without "Expect" the body is sent without waiting for the server.
    set(CURLOPT_HTTPHEADER, request.headers.map { "\($0.name): \($0.value)" } + ["Expect:"])
    guard request.method != "GET" || !request.body.isEmpty else { return }
    set(CURLOPT_POSTFIELDSIZE, request.body.count)
    request.body.withUnsafeBytes { bytes in
      _ = ccurl_set_text(easy, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
    }
  }

  /// Throws `OutboundError` for a URL that libcurl cannot read.
  convenience init(_ mail: OutboundMail) throws(OutboundError) {
    self.init(schemes: "smtp,smtps")
    try set(url: mail.server.description)
    if let user = mail.server.user { set(CURLOPT_USERNAME, user) }
    if let password = mail.server.password { set(CURLOPT_PASSWORD, password) }
    // Never "where it is offered": anyone in between could take the offer away.
    set(CURLOPT_USE_SSL, Int(mail.isPlain ? CURLUSESSL_NONE.rawValue : CURLUSESSL_ALL.rawValue))
    set(CURLOPT_MAIL_FROM, "<\(mail.sender)>")
    set(CURLOPT_MAIL_RCPT, ["<\(mail.recipient)>"])
    upload = mail.content[...]
    set(CURLOPT_UPLOAD, 1)
    ccurl_set_pointer(easy, CURLOPT_READDATA, Unmanaged.passUnretained(self).toOpaque())
    ccurl_set_transport(easy, CURLOPT_READFUNCTION) { buffer, size, count, owner in
      OutboundCall.of(owner).give(into: UnsafeMutableRawBufferPointer(start: buffer, count: size * count))
    }
  }

  deinit {
    curl_easy_cleanup(easy)
    for list in lists { curl_slist_free_all(list) }
    reason.deallocate()
  }

  /// Has it trust `authorities`, certificates in PEM, beside the machine's own.
  func trust(_ authorities: String) {
    var authorities = authorities
    // In place of the machine's file of authorities, which holds the same as its folder (`CURLOPT_CAPATH`): that stays.
    authorities.withUTF8 { _ = ccurl_set_blob(easy, CURLOPT_CAINFO_BLOB, $0.baseAddress, $0.count) }
  }

  /// Has it connect to admitted addresses only, and not by a proxy, which would connect for it.
  func restrict(to admits: @escaping @Sendable (PeerAddress) -> Bool) {
    self.admits = admits
    set(CURLOPT_PROXY, "")
    ccurl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, Unmanaged.passUnretained(self).toOpaque())
    ccurl_set_opening(easy) { owner, _, address in OutboundCall.of(owner).open(address!) }
  }

  /// Returns the result of the call, which has ended with `code`.
  func result(_ code: CURLcode) -> Result<OutboundResponse, OutboundError> {
    guard code == CURLE_OK else {
      let text = reason.pointee == 0 ? String(cString: curl_easy_strerror(code)) : String(cString: reason)
      return .failure(OutboundError(description: fault ?? text, refusal: refusal(text)))
    }
    var status = 0
    ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
    answer.status = status
    return .success(answer)
  }

  /// Returns how a mail server has refused the recipient or the message, as libcurl words it, or the message once it
  /// had come.
  private func refusal(_ text: String) -> MailRefusal? {
    var reply = 0
    ccurl_get_long(easy, CURLINFO_RESPONSE_CODE, &reply)
    // 421 says at any point that the server closes (RFC 5321, section 3.8).
    let isBeforeMessage = ["RCPT failed", "DATA failed"].contains { text.hasPrefix($0) }
    guard reply >= 400, reply != 421, isBeforeMessage || hasGiven else { return nil }
    return reply < 500 ? .transient : .permanent
  }

  // MARK: Options

  private func set(url: String) throws(OutboundError) {
    guard ccurl_set_text(easy, CURLOPT_URL, url) == CURLE_OK else { throw OutboundError(description: "not a URL") }
  }

  func set(_ option: CURLoption, _ value: Int) { _ = ccurl_set_long(easy, option, value) }

  private func set(_ option: CURLoption, _ value: String) { _ = ccurl_set_text(easy, option, value) }

  private func set(_ option: CURLoption, _ values: [String]) {
    var list: UnsafeMutablePointer<curl_slist>?
    for value in values { list = curl_slist_append(list, value) }
    guard let list else { return }
    lists.append(list)
    ccurl_set_pointer(easy, option, list)
  }

  // MARK: What libcurl calls

  private static func of(_ owner: UnsafeMutableRawPointer?) -> OutboundCall {
    Unmanaged<OutboundCall>.fromOpaque(owner!).takeUnretainedValue()
  }

  private static func bytes(_ start: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int) -> UnsafeRawBufferPointer
  {
    UnsafeRawBufferPointer(start: start, count: size * count)
  }

  /// Takes a part of the body; returns how many bytes it took, fewer than all to end the call.
  private func take(body bytes: UnsafeRawBufferPointer) -> Int {
    guard answer.body.count + bytes.count <= Self.maximumAnswerBytes else { return refuse("the answer is too long") }
    answer.body.append(contentsOf: bytes)
    return bytes.count
  }

  /// Takes a line of the header section; returns the same.
  private func take(header bytes: UnsafeRawBufferPointer) -> Int {
    headerBytes += bytes.count
    guard headerBytes <= Self.maximumHeaderBytes else { return refuse("the answer's header is too long") }
    let line = String(decoding: bytes, as: UTF8.self)
    // An interim answer's fields are not the answer's (RFC 9110, section 15.2).
    if line.hasPrefix("HTTP/") { answer.headers = [:] }
    let parts = line.split(separator: ":", maxSplits: 1)
    if parts.count == 2 { answer.headers[parts[0].lowercased()] = parts[1].trimmingWhitespace }
    return bytes.count
  }

  private func refuse(_ fault: String) -> Int {
    self.fault = fault
    return 0
  }

  private func give(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    hasGiven = true
    let part = upload.prefix(buffer.count)
    buffer.copyBytes(from: part)
    upload = upload.dropFirst(part.count)
    return part.count
  }

  /// Makes the socket for an address that libcurl is about to connect to, whichever way it came by it.
  private func open(_ address: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
    let (family, type, transport) = (address.pointee.family, address.pointee.socktype, address.pointee.protocol)
    let peer = PeerAddress(
      socketAddress: UnsafeRawBufferPointer(
        start: UnsafeRawPointer(address) + MemoryLayout<curl_sockaddr>.offset(of: \.addr)!,
        count: Int(address.pointee.addrlen)))
    guard let peer, admits?(peer) ?? true else {
      fault = "its address is not allowed"
      return CURL_SOCKET_BAD
    }
    return socket(family, type | Int32(SOCK_CLOEXEC.rawValue), transport)
  }
}
