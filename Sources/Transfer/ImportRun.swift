import Commerce
import Gardens
import Postgres
import Values
import Web

/// The import of one file: reads its lines as they arrive, and writes them in one transaction.
struct ImportRun {
  /// How long the transaction may be idle while more of the file is waited for, in nanoseconds; then a statement keeps
  /// it alive.
  static let keepAliveNanoseconds: UInt64 = 10_000_000_000

  private let context: LoopContext
  private let user: Identifier
  /// The device whose history it is; nil for an export.
  private let device: DeviceIdentity?
  private let isDryRun: Bool
  private let key: IdempotencyKey?
  private var lines: BodyLines
  private var file: ImportFile
  /// The parts of a history that have arrived; nil for an export.
  private var parts: HistoryParts?

  /// What was found in the file, and done with it.
  var report: ImportReport { file.report }

  init(
    _ context: LoopContext, lines: BodyLines, file: ImportFile, of user: Identifier, into device: DeviceIdentity?,
    isDryRun: Bool, key: IdempotencyKey?
  ) {
    self.context = context
    self.lines = lines
    self.file = file
    self.user = user
    self.device = device
    self.isDryRun = isDryRun
    self.key = key
    parts = device.map { HistoryParts(device: $0.id, rawFrom: file.rawFrom) }
  }

  /// What this file has made before with this key; nil without that. Where the key was used, the whole file is read,
  /// since its digest tells whether it is the same one.
  mutating func madeBefore(at now: Timestamp) async throws -> Made? {
    guard let key, try await key.isUsed(in: context.database, at: now) else { return nil }
    while try await lines.next() != nil {}
    return try await key.forContent(lines.digest).made(in: context.database, at: now)
  }

  /// Thrown to roll back: the file is faulty, or this is a dry run.
  private struct Refused: Error {}

  /// Reads the file into one transaction. Returns false at the first fault, or at the end of a dry run: nothing is
  /// stored then.
  mutating func write() async throws -> Bool {
    if let device { file.expectHistory(of: device, types: try await measuredTypes(of: device)) }
    let partitions = ReadingPartitions(context)
    let now = context.now
    try await context.database.transaction { try await partitions.make(partitions.days(at: now), $0) }
    var hasBegun = false
    do {
      try await context.cache.change(timeoutMilliseconds: Transfers.timeoutMilliseconds) { transaction, tags in
        // A retry of the transaction cannot read the body again.
        guard !hasBegun else { throw Problem(.unavailable, "The import was interrupted. Send the file again.") }
        hasBegun = true
        try await begin(transaction, at: now)
        try await writeLines(transaction)
        try await finish(transaction, at: now)
        if file.touchesPublic { tags = [.gardens, .businesses] }
        if let device { tags = [.latest(in: device.garden)] }
      }
      return true
    } catch is Refused {
      return false
    }
  }

  /// Claims the key, and locks the device whose history it is.
  private func begin(_ transaction: Transaction, at now: Timestamp) async throws {
    if let key {
      try await key.claim(in: transaction)
      // A request with this key has committed since `madeBefore` looked.
      if try await key.isUsed(in: transaction, at: now) { throw IdempotencyKey.inProgress }
    }
    if let device { try await hold(device.id, in: transaction) }
  }

  /// Writes the lines as they arrive, in batches. Throws `Refused` at the first fault.
  private mutating func writeLines(_ transaction: Transaction) async throws {
    var lastStatement = context.loop.now
    while let line = try await lines.next() {
      try await take(line)
      if file.report.faultCount > 0 { throw Refused() }
      let isLate = context.loop.now - lastStatement >= Self.keepAliveNanoseconds
      guard file.batch.isFull || isLate else { continue }
      try await pass(transaction)
      lastStatement = context.loop.now
    }
    file.finish(line: lines.number)
    if file.report.faultCount > 0 { throw Refused() }
    try await pass(transaction)
  }

  /// Writes and checks what needs the whole file. Throws `Refused` in a dry run.
  private mutating func finish(_ transaction: Transaction, at now: Timestamp) async throws {
    if let parts { try await write(parts, transaction) }
    // Not before the end: a changed row stays locked, and nothing could note meanwhile when the device was heard of.
    if file.isHistory { try await file.batch.noteTypes(in: transaction) }
    if file.hasGardens { try await GardenInput.checkBound(of: user, in: transaction) }
    if file.hasBusinesses { try await BusinessInput.checkBound(of: user, in: transaction) }
    // A file may come for an hour: its sender may not edit the garden any more.
    if let device { try await hold(device.id, in: transaction) }
    if isDryRun { throw Refused() }
    let made = Made(status: .ok, body: file.report.body(isDryRun: false))
    try await key?.forContent(lines.digest).keep(made, in: transaction, at: now)
  }

  /// Locks a device against deletion, since readings stored after it would stay, and against its other histories, which
  /// would not see the hours of this one yet: 429. Throws 404 unless the user may edit its garden.
  private func hold(_ device: Identifier, in transaction: Transaction) async throws {
    guard let row = try await transaction.query(Self.holdDevice, device, user).first else {
      throw DeviceAccess.notFound
    }
    guard try row.decode(Bool.self, 0) else {
      throw Transfers.underWay("Another history of this device is being imported. Wait until it ends.")
    }
  }

  /// Writes the batch; that of a history is kept as a part until the file's end.
  private mutating func pass(_ transaction: Transaction) async throws {
    if parts == nil { return try await flush(transaction) }
    try await parts?.move(&file.batch, in: transaction)
  }

  /// Writes a history once all of it has arrived.
  private mutating func write(_ parts: HistoryParts, _ transaction: Transaction) async throws {
    try await parts.holdHours(in: transaction)
    var inHours = 0
    for slice in parts.slices {
      try lines.check()
      inHours += try await parts.makeHours(of: slice, in: transaction)
    }
    file.wroteHours(of: inHours, among: parts.oldCount)
    for part in parts.parts {
      try lines.check()
      file.batch.readings = try await parts.take(part, in: transaction)
      try await flush(transaction)
    }
  }

  private mutating func flush(_ transaction: Transaction) async throws {
    let fresh = try await file.batch.write(user, at: context.now, in: transaction)
    if !file.isHistory { try await file.batch.noteTypes(in: transaction) }
    if file.batch.count == 0 { try await transaction.execute(Self.keepAlive) }
    file.written(freshReadings: fresh)
  }

  /// Reads on without writing, so that all faults are reported at once. Rows behind a fault could refer to something
  /// that was never made.
  mutating func readOn() async throws {
    while let line = try await lines.next() {
      try await take(line)
      if file.batch.isFull { file.written(freshReadings: file.batch.readings.count) }
    }
    file.finish(line: lines.number)
    file.written(freshReadings: file.batch.readings.count)
  }

  /// Reads a line, after asking the database for its time zone where that is needed.
  private mutating func take(_ line: [UInt8]) async throws {
    guard let zone = file.take(line, line: lines.number) else { return }
    file.zones.learn(zone, try await TimeZoneName.settled(zone, in: context.database))
    _ = file.take(line, line: lines.number)
  }

  private func measuredTypes(of device: DeviceIdentity) async throws -> [String] {
    try await context.database.query(Self.measuredTypes, device.id).map { try $0.decode(String.self, 0) }
  }

  private static let measuredTypes = Statement("import.measuredTypes", DeviceTypes.rows(of: "$1"))
  private static let holdDevice = Statement(
    "import.holdDevice",
    """
    SELECT pg_try_advisory_xact_lock(hashtextextended('history ' || devices.id::text, 0))
    FROM devices JOIN gardens ON gardens.id = devices.garden_id
    WHERE devices.id = $1 AND \(GardenRole.editor.isHeld(by: "$2")) FOR KEY SHARE OF devices
    """)
  private static let keepAlive = Statement("import.keepAlive", "SELECT")
}
