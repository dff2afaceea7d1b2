/// One timed piece of work in a trace, as OpenTelemetry knows it.
package struct Span: Sendable {
  /// The side of a call that a span stands for; the numbers are OTLP's.
  package enum Kind: UInt8, Sendable {
    case `internal` = 1
    case server = 2
    case client = 3
  }

  /// How the work ended. Success is left unset, as OpenTelemetry asks of instrumentation.
  package enum Status: Sendable, Equatable {
    case unset
    case error(String)
  }

  /// A named fact about a span.
  package struct Attribute: Sendable {
    package let key: StaticString
    package let value: Value

    package init(_ key: StaticString, _ value: Value) {
      self.key = key
      self.value = value
    }
  }

  /// The value of an attribute.
  package enum Value: Sendable {
    case string(String)
    case integer(Int64)
    case boolean(Bool)
    case double(Double)
  }

  /// The trace, and the id of this span in it.
  package let context: TraceContext
  /// The span this one is part of; nil at the head of a trace.
  package let parentID: SpanID?
  package var name: String
  package let kind: Kind
  /// Nanoseconds since 1970 UTC.
  package let startUnixNanoseconds: UInt64
  /// Nanoseconds since 1970 UTC.
  package var endUnixNanoseconds: UInt64
  package var status = Status.unset
  package private(set) var attributes: [Attribute] = []

  package init(
    _ name: String, kind: Kind, context: TraceContext, parentID: SpanID?, startUnixNanoseconds: UInt64,
    endUnixNanoseconds: UInt64
  ) {
    self.name = name
    self.kind = kind
    self.context = context
    self.parentID = parentID
    self.startUnixNanoseconds = startUnixNanoseconds
    self.endUnixNanoseconds = endUnixNanoseconds
  }

  /// Adds a fact. Keys are not compared with those that are there.
  package mutating func set(_ key: StaticString, _ value: String) { attributes.append(Attribute(key, .string(value))) }

  /// Adds a fact unless the value is nil.
  package mutating func set(_ key: StaticString, _ value: String?) { if let value { set(key, value) } }

  /// Adds a fact.
  package mutating func set(_ key: StaticString, _ value: Int) {
    attributes.append(Attribute(key, .integer(Int64(value))))
  }

  /// Adds a fact.
  package mutating func set(_ key: StaticString, _ value: Bool) { attributes.append(Attribute(key, .boolean(value))) }

  /// Adds a fact.
  package mutating func set(_ key: StaticString, _ value: Double) { attributes.append(Attribute(key, .double(value))) }
}
