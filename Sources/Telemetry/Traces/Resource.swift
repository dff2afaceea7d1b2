import Values

/// What made the spans: the resource and the scope that stand around them in every export.
package struct Resource: Sendable {
  /// `ResourceSpans.resource`, its field number included.
  let encodedResource: [UInt8]
  /// `ScopeSpans.scope`, its field number included.
  let encodedScope: [UInt8]

  /// `instance` tells replicas apart (service.instance.id). The environment is written under the old name
  /// (`deployment.environment`) and the present one.
  package init(service: String, version: String, environment: String, instance: String) {
    let attributes: [(String, String)] = [
      ("service.name", service), ("service.version", version), ("service.instance.id", instance),
      ("deployment.environment", environment), ("deployment.environment.name", environment),
      ("telemetry.sdk.name", "terroir"), ("telemetry.sdk.language", "swift"), ("telemetry.sdk.version", version),
    ]
    encodedResource = Self.encoded { writer in
      writer.message(1) { writer in
        for (key, value) in attributes {
          writer.message(1) { writer in
            writer.text(1, key)
            writer.message(2) { $0.text(1, value) }
          }
        }
      }
    }
    encodedScope = Self.encoded { writer in
      writer.message(1) { writer in
        writer.text(1, service)
        writer.text(2, version)
      }
    }
  }

  /// The body of an export (`ExportTraceServiceRequest`) around encoded spans.
  func request(spans: [UInt8]) -> [UInt8] {
    let scopeSpans = Self.field(2, encodedScope + spans)
    return Self.field(1, encodedResource + scopeSpans)
  }

  private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    var bytes = [number << 3 | 2]
    bytes.append(upTo: ProtobufWriter.varintBytes) { $0.appendVarint(UInt64(content.count)) }
    return bytes + content
  }

  private static func encoded(_ body: (inout ProtobufWriter) -> Void) -> [UInt8] {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * ProtobufWriter.maximumTextBytes, alignment: 8)
    defer { memory.deallocate() }
    var writer = ProtobufWriter(memory)
    body(&writer)
    return Array(writer.written)
  }
}
