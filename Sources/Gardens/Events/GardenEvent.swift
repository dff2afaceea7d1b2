import JSON
import Redis
import Values
import Web

/// Something that happened in a garden, for clients that watch it.
enum GardenEvent {
  /// A reading was accepted.
  case reading(device: Identifier, Reading)
  /// An insight was made; the bytes are its JSON, without line breaks.
  case insight([UInt8])
  /// Events before it may be missing: what a client shows is to be read anew.
  case gap

  /// The name of the event and its data, as the script that publishes takes them.
  var arguments: [RedisArgument] {
    switch self {
    case .reading(let device, let reading):
      var json = JSONWriter()
      json.object { json in
        json.member("deviceId", device)
        json.member("sensorType", reading.type.name)
        json.member("value", reading.value)
        json.member("measuredAt", reading.measuredAt)
      }
      return ["reading", .bytes(json.take())]
    case .insight(let body): return ["insight", .bytes(body)]
    case .gap: return ["gap", "{}"]
    }
  }
}
