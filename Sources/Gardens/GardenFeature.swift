import Postgres
import Values
import Web

/// Gardens, their devices and what these measure, on one loop.
package final class GardenFeature: Feature {
  let context: LoopContext
  let sensorTypes = SensorTypes()
  let deviceTypes: DeviceTypes
  let readingsWriter: ReadingsWriter
  let readingMeters: ReadingMeters
  let lastSeen: LastSeen
  let latest: LatestValues
  let events: EventBroker
  let charts: GardenCharts
  package let publisher: EventPublisher
  let changes: GardenChanges

  package init(_ context: LoopContext) {
    self.context = context
    let (loop, database, redis) = (context.loop, context.database, context.redis)
    let (meters, prefix) = (context.meters, context.configuration.redis.keyPrefix)
    // All replicas agree on this time; this machine's own may be wrong.
    let now = { [unowned context] in context.now }
    deviceTypes = DeviceTypes(database: database, sensorTypes: sensorTypes)
    readingsWriter = ReadingsWriter(loop: loop, database: database, partitions: ReadingPartitions(context))
    readingMeters = ReadingMeters(meters.instruments, shard: loop.index)
    lastSeen = LastSeen(loop: loop, database: database)
    latest = LatestValues(
      loop: loop, redis: redis, cache: context.cache, prefix: prefix, record: { meters.cache("latest", $0) },
      now: now)
    let keys = EventKeys(prefix: prefix)
    publisher = EventPublisher(loop: loop, redis: redis, keys: keys, dropped: meters.eventsDropped)
    changes = GardenChanges(cache: context.cache, publisher: publisher)
    events = EventBroker(context, keys: keys)
    charts = GardenCharts(loop: loop, reads: context.longReads)
    readingsWriter.onAccepted = [latest.accepted, publisher.accepted]
    readingsWriter.onDoubt = [publisher.maybeMissed]
  }

  package var endpoints: [Endpoint] {
    let groups: [any EndpointGroup] = [
      GardenRoutes(context: context, changes: changes), LatestReadings(context: context, values: latest),
      GardenEvents(context: context, broker: events), EventTickets(context: context),
      Members(context: context, changes: changes), Devices(context: context), OwnDevice(context: context),
      Readings(
        context: context, sensorTypes: sensorTypes, deviceTypes: deviceTypes, writer: readingsWriter,
        lastSeen: lastSeen, meters: readingMeters),
      GardenPages(context: context, charts: charts),
    ]
    return groups.flatMap(\.endpoints)
  }

  package var duties: [Duty] {
    let partitions = ReadingPartitions(context)
    let sealing = ReadingsSealing(context).map { [$0.duty] } ?? []
    return [
      partitions.making, partitions.dropping, Rollup(context).duty, ErasedDevices.duty,
      DeviceWatch(context: context).duty,
    ] + sealing + pastDays.map(\.duty)
  }

  package var expiries: [Expiry] { [Rollup.refusedExpiry, EventTickets.expiry, Members.expiry] }

  private var pastDays: [PastDays] {
    let (readings, logger) = (context.configuration.readings, context.logger)
    let raw = Retention(days: readings.rawDays)
    // Buckets of five minutes are kept at least as long as what they are made from.
    let buckets = Retention(days: max(readings.fiveMinuteDays, readings.rawDays + 1))
    return [
      PastDays(.late, raw, logger: logger), PastDays(.sealed, raw, logger: logger),
      PastDays(.buckets, buckets, logger: logger),
    ]
  }

  package func erase(_ user: Identifier, in transaction: Transaction) async throws -> AfterCommit {
    let gardens = try await transaction.query(Self.lockGardens, user).map { try $0.decode(Identifier.self, 0) }
    let devices = try await transaction.query(Self.lockDevices, user).map { try $0.decode(Identifier.self, 0) }
    try await ErasedDevices.deleteReadings(of: devices, in: transaction)
    try await Invitation.end(by: user, in: transaction)
    // The rows themselves are deleted with their owner's.
    return { [self] in
      await context.deviceKeys.changed(devices)
      await changes.announce(gardens)
    }
  }

  package func close() { events.close() }
  package func finish() async { await lastSeen.write() }

  private static let lockGardens = Statement("erasure.gardens", "SELECT id FROM gardens WHERE owner_id = $1 FOR UPDATE")
  private static let lockDevices = Statement(
    "erasure.devices",
    """
    SELECT devices.id FROM devices JOIN gardens ON gardens.id = devices.garden_id WHERE gardens.owner_id = $1
    ORDER BY devices.id FOR UPDATE OF devices
    """)
}
