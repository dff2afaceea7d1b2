import Agronomy
import HTTP
import JSON
import Values
import Web

/// The schemas of readings as they are sent and answered.
extension Readings {
  private static let readingMembers: [Schema.Property] = [
    .required("sensorType", .string(pattern: SensorType.pattern)), .required("value", .number()),
    .required("measuredAt", .timestamp),
  ]
  private static let device: [Schema.Property] = [.required("deviceId", .identifier)]
  private static let reading = Schema.named("Reading", .object(readingMembers), example: "{\(readingExample)}")
  static let gardenReading = Schema.named(
    "GardenReading", .object(device + readingMembers), example: "{\(deviceExample),\(readingExample)}")
  private static let deviceExample = #""deviceId":"019aa5c0-0000-7000-8000-000000000009""#
  private static let readingExample =
    #""sensorType":"soil_moisture","value":31.5,"measuredAt":"2026-11-21T09:30:00.000Z""#
  private static let readingInput = Schema.named(
    "ReadingInput",
    .object(
      [
        .required(
          "sensorType", .string(pattern: SensorType.pattern), "One that the device declares, if it declares any."),
        .required(
          "value", .number(),
          """
          For a known sensor type within its range, for others at most 1e15 either way. For `rain`, what has fallen \
          since the previous reading: the values are added up.
          """),
        .optional(
          "measuredAt", .oneOf([.timestamp, .integer()]),
          """
          An RFC 3339 date-time (digits below the millisecond are cut off), or whole Unix seconds, or milliseconds \
          from 1e11 on. At most five minutes in the future. By default the time of arrival: a reading that is sent \
          twice is then stored twice.
          """),
      ], isClosed: true),
    example: #"{"sensorType":"soil_moisture","value":31.5,"measuredAt":"2026-11-21T09:30:00.000Z"}"#)
  static let body = Endpoint.Body(
    mediaTypes: [ReadingsForm.json, lines],
    schema: .named(
      "Readings",
      .object(
        [.required("readings", .array(readingInput, minItems: 1, maxItems: ReadingsDecoder.maximumCount))],
        isClosed: true)),
    example:
      #"{"readings": [{"sensorType": "soil_moisture", "value": 31.5, "measuredAt": "2026-11-21T09:30:00.000Z"}]}"#)
  static let receipt = Schema.named(
    "ReadingsReceipt",
    .object([
      .required("accepted", .integer(minimum: 0)),
      .required("duplicates", .integer(minimum: 0), "Readings that were stored already, with the same value."),
      .required(
        "rejected",
        .array(
          .named(
            "RejectedReading",
            .object([
              .required("index", .integer(minimum: 0), "The place in the request, from 0; blank lines do not count."),
              .required("reason", .cases(of: RejectionReason.self)),
              .optional(
                "pointer", .string(),
                "Where the reading's shape is wrong: a JSON Pointer into the document, or into the line."),
              .optional("nearest", .string(), "The declared sensor type that an undeclared one may stand for."),
            ])))),
    ]), example: #"{"accepted":2,"duplicates":1,"rejected":[{"index":3,"reason":"out-of-range"}]}"#)
  private static let bucketMembers: [Schema.Property] = [
    .required("sensorType", .string()), .required("start", .timestamp), .required("min", .number()),
    .required("max", .number()), .required("mean", .number()), .required("count", .integer(minimum: 1)),
  ]
  private static let bucket = Schema.named("ReadingBucket", .object(bucketMembers), example: "{\(bucketExample)}")
  private static let gardenBucket = Schema.named(
    "GardenReadingBucket", .object(device + bucketMembers), example: "{\(deviceExample),\(bucketExample)}")
  private static let bucketExample = #"""
    "sensorType":"soil_moisture","start":"2026-11-21T09:30:00.000Z","min":30.9,"max":31.5,"mean":31.2,"count":12
    """#
  static let gardenPage = Schema.page(of: "GardenReadingPage", .oneOf([gardenReading, gardenBucket]))
  static let page = Schema.page(of: "ReadingPage", .oneOf([reading, bucket]))
}
