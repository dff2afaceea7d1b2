import Foundation
import FoundationNetworking
import Synchronization

/// A request to another server.
package struct OutboundRequest: Sendable {
  package var method = "GET"
  package let url: String
  package var headers: [(name: String, value: String)] = []
  package var body: [UInt8] = []
  /// From sending to the answer's last byte.
  package var timeoutSeconds: Double = 10

  package init(
    method: String = "GET", url: String, headers: [(name: String, value: String)] = [], body: [UInt8] = [],
    timeoutSeconds: Double = 10
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeoutSeconds = timeoutSeconds
  }
}

/// The answer of another server.
package struct OutboundResponse: Sendable {
  package let status: Int
  let headers: [String: String]
  package let body: [UInt8]
}

/// Why another server gave no usable answer. For the log only.
struct OutboundError: Error, CustomStringConvertible {
  let description: String
}

/// The one place in which Terroir calls other servers by HTTP and HTTPS: insight providers, external health URLs and
/// trace collectors. Foundation does the work on threads of its own; the caller's loop goes on turning.
package final class OutboundClient: NSObject, Sendable {
  /// The longest answer that is read, in bytes; a longer one is an error.
  static let maximumAnswerBytes = 1 << 20
  /// The most connections to one host.
  static let connectionsPerHost = 8
  /// The most requests under way; further ones fail at once.
  static let maximumRequests = 64

  private struct Transfer {
    var status = 0
    var headers: [String: String] = [:]
    var body: [UInt8] = []
    let finish: @Sendable (Result<OutboundResponse, OutboundError>) -> Void
  }

  private let transfers = Mutex<[Int: Transfer]>([:])
  // Made on first use: a server that calls nobody has no session's memory and threads.
  private let made = Mutex<URLSession?>(nil)

  package override init() {}

  private var session: URLSession {
    made.withLock { session in
      if let session { return session }
      let configuration = URLSessionConfiguration.ephemeral
      configuration.httpMaximumConnectionsPerHost = Self.connectionsPerHost
      configuration.httpCookieStorage = nil
      configuration.urlCache = nil
      let new = URLSession(configuration: configuration, delegate: self, delegateQueue: nil)
      session = new
      return new
    }
  }

  /// Sends a request and suspends until there is a whole answer; throws `OutboundError`.
  package func send(_ request: OutboundRequest) async throws -> OutboundResponse {
    try await withUnsafeContinuation { continuation in
      start(request) { continuation.resume(returning: $0) }
    }.get()
  }

  func start(
    _ request: OutboundRequest, _ finish: @escaping @Sendable (Result<OutboundResponse, OutboundError>) -> Void
  ) {
    guard let url = URL(string: request.url) else {
      return finish(.failure(OutboundError(description: "not a URL")))
    }
    var message = URLRequest(url: url, timeoutInterval: request.timeoutSeconds)
    message.httpMethod = request.method
    for header in request.headers { message.setValue(header.value, forHTTPHeaderField: header.name) }
    if !request.body.isEmpty { message.httpBody = Data(request.body) }
    let task = session.dataTask(with: message)
    let isAdmitted = transfers.withLock { transfers in
      guard transfers.count < Self.maximumRequests else { return false }
      transfers[task.taskIdentifier] = Transfer(finish: finish)
      return true
    }
    guard isAdmitted else { return finish(.failure(OutboundError(description: "too many outbound requests"))) }
    task.resume()
    // Foundation's timeout is one of silence; this one is for the whole exchange.
    DispatchQueue.global().asyncAfter(deadline: .now() + request.timeoutSeconds) { [weak task] in task?.cancel() }
  }
}

extension OutboundClient: URLSessionDataDelegate {
  package func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    if let response = response as? HTTPURLResponse {
      var headers: [String: String] = [:]
      for (name, value) in response.allHeaderFields {
        if let name = name as? String, let value = value as? String { headers[name.lowercased()] = value }
      }
      transfers.withLock {
        $0[dataTask.taskIdentifier]?.status = response.statusCode
        $0[dataTask.taskIdentifier]?.headers = headers
      }
    }
    completionHandler(.allow)
  }

  package func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    let isTooLong = transfers.withLock { transfers in
      transfers[dataTask.taskIdentifier]?.body.append(contentsOf: data)
      return transfers[dataTask.taskIdentifier]?.body.count ?? 0 > Self.maximumAnswerBytes
    }
    if isTooLong { dataTask.cancel() }
  }

  package func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    guard let transfer = transfers.withLock({ $0.removeValue(forKey: task.taskIdentifier) }) else { return }
    if let error {
      transfer.finish(.failure(OutboundError(description: (error as NSError).localizedDescription)))
    } else {
      transfer.finish(
        .success(OutboundResponse(status: transfer.status, headers: transfer.headers, body: transfer.body)))
    }
  }

  package func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
  ) {
    // A redirect would send keys to a host that nobody configured.
    completionHandler(nil)
  }
}
