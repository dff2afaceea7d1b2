import HTTP

/// An endpoint as one loop serves it: what its route carries from matching to the log line.
final class BoundEndpoint {
  let endpoint: Endpoint
  let instruments: RouteInstruments
  /// See `Endpoint.isEventStream`.
  let isEventStream: Bool
  /// See `Endpoint.isPage`.
  let isPage: Bool
  /// See `Endpoint.isProbe`.
  let isProbe: Bool
  /// See `Endpoint.offeredTypes`.
  let offeredTypes: [String]

  init(_ endpoint: Endpoint, _ instruments: RouteInstruments) {
    self.endpoint = endpoint
    self.instruments = instruments
    isEventStream = endpoint.isEventStream
    isPage = endpoint.isPage
    isProbe = endpoint.isProbe
    offeredTypes = endpoint.offeredTypes
  }

  /// Returns a route's attachment as the bound endpoint that it is.
  static func unmanaged(_ attachment: Unmanaged<AnyObject>) -> Unmanaged<BoundEndpoint> {
    .fromOpaque(attachment.toOpaque())
  }
}
