import Commerce
import Gardens
import Insights
import JSON
import Secrets
import Values
import Web

/// The lines of what people own.
extension ImportFile {
  mutating func readGarden(_ fields: inout Fields) throws {
    let old = names.readNewcomer(.garden, &fields)
    if names.count(of: .garden) > GardenInput.maximumOfOwner {
      fields.fault("kind", "is on more than \(GardenInput.maximumOfOwner) lines")
    }
    _ = fields.optional("ownerId", .identifier)
    var garden = GardenInput(&fields)
    zones.settle(&garden.timeZone, &fields)
    let (createdAt, updatedAt) = times(&fields)
    try fields.finish()
    let id = names.rename(old, .garden, at: createdAt)
    if garden.isPublic { touchesPublic = true }
    batch.gardens.append(GardenInput.Row(id: id, new: garden, createdAt: createdAt, updatedAt: updatedAt))
  }

  mutating func readDevice(_ fields: inout Fields) throws {
    let old = names.readNewcomer(.device, &fields)
    let garden = names.read(.garden, &fields)
    if devicesOfGardens[garden, default: 0] >= DeviceInput.maximumOfGarden {
      fields.fault("gardenId", "is that of \(DeviceInput.maximumOfGarden) earlier lines: no garden has more devices")
    }
    var device = DeviceInput(&fields)
    zones.settle(&device.timeZone, &fields)
    // A copy has not been seen yet.
    _ = fields.optional("lastSeenAt", .timestamp)
    _ = fields.optional("online", .boolean)
    let (createdAt, updatedAt) = times(&fields)
    try fields.finish()
    let id = names.rename(old, .device, at: createdAt)
    devicesOfGardens[garden, default: 0] += 1
    sensorTypes[id] = []
    // A key that nobody has: its owner makes a new one.
    let key = OpaqueKey.make(.deviceKey)
    batch.devices.append(
      DeviceInput.Row(id: id, garden: garden, new: device, key: key, createdAt: createdAt, updatedAt: updatedAt))
  }

  mutating func readBusiness(_ fields: inout Fields) throws {
    let old = names.readNewcomer(.business, &fields)
    if names.count(of: .business) > BusinessInput.maximumOfOwner {
      fields.fault("kind", "is on more than \(BusinessInput.maximumOfOwner) lines")
    }
    _ = fields.optional("ownerId", .identifier)
    let business = BusinessInput(&fields)
    let (createdAt, updatedAt) = times(&fields)
    try fields.finish()
    let id = names.rename(old, .business, at: createdAt)
    touchesPublic = true
    batch.businesses.append(
      BusinessInput.Row(id: id, new: business, createdAt: createdAt, updatedAt: updatedAt))
  }

  mutating func readProduct(_ fields: inout Fields) throws {
    _ = fields.required("id", .identifier)
    let business = names.read(.business, &fields)
    if products[business, default: 0] >= ProductInput.maximumOfBusiness {
      fields.fault(
        "businessId", "is that of \(ProductInput.maximumOfBusiness) earlier lines: no business has more products")
    }
    let product = ProductInput(&fields)
    let (createdAt, updatedAt) = times(&fields)
    try fields.finish()
    products[business, default: 0] += 1
    batch.products.append(
      ProductInput.Row(
        id: names.make(at: createdAt), business: business, new: product, createdAt: createdAt, updatedAt: updatedAt))
  }

  mutating func readInsight(_ fields: inout Fields) throws {
    _ = fields.required("id", .identifier)
    let garden = names.read(.garden, &fields)
    let type = fields.required("type", .oneOf(InsightType.self))
    let provider = fields.required("provider", .oneOf(InsightProvider.self))
    let severity = fields.required("severity", .oneOf(Severity.self))
    let title = fields.required("title", .string(1...1_000))
    let text = fields.required("text", .text(1...10_000))
    let evidence = fields.required("evidence", .anyObject)
    let createdAt = fields.required("createdAt", .timestamp)
    checkPast("createdAt", createdAt, &fields)
    try fields.finish()
    batch.insights.append(
      ImportBatch.Insight(
        id: names.make(at: createdAt), garden: garden, type: type, provider: provider, severity: severity,
        title: title, text: text, evidence: JSONWriter.bytes(of: JSONValue.object(evidence)), createdAt: createdAt))
  }

  private func times(_ fields: inout Fields) -> (createdAt: Timestamp, updatedAt: Timestamp) {
    let createdAt = fields.optional("createdAt", .timestamp) ?? now
    let updatedAt = fields.optional("updatedAt", .timestamp) ?? createdAt
    checkPast("createdAt", createdAt, &fields)
    checkPast("updatedAt", updatedAt, &fields)
    return (createdAt, updatedAt)
  }

  /// Notes a fault where `moment` is before 1970, or further ahead than clocks may be.
  func checkPast(_ name: String, _ moment: Timestamp, _ fields: inout Fields) {
    let latest = now.advanced(byMilliseconds: ReadingWindow.futureMilliseconds)
    if moment.unixMilliseconds < 0 || moment > latest { fields.fault(name, "must be between 1970 and now") }
  }
}
