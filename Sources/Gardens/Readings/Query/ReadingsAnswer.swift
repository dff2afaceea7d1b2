import HTTP
import Values
import Web

/// The answer with readings: a page of JSON, or CSV, which is sent to its end unless the client asks for pages.
struct ReadingsAnswer {
  /// The most items that are in memory at a time.
  private static let partItems: Int64 = 10_000

  let context: LoopContext
  /// The garden or the device whose readings they are.
  let owner: Identifier
  let query: ReadingsQuery

  func response(to call: Call) async throws -> Response {
    // A client that takes neither was refused before, unless it takes problems.
    let type = Accept.choose(call.request.headerList("Accept"), from: ReadingsForm.mediaTypes) ?? ReadingsForm.json
    let isCSV = type == ReadingsForm.csv
    let form = ReadingsForm(
      isCSV: isCSV, isRaw: query.resolution == .raw, namesDevices: query.devices != [owner])
    let isWhole = isCSV && !query.isPaged
    let (client, owners) = (call.client, [owner, call.identity.id ?? owner])
    let place = try isWhole ? context.longReads.answer(for: client) : nil
    let part = try await context.longReads.read(for: client, of: owners) {
      try await query.part($0, limit: isWhole ? Self.partItems : query.limit)
    }
    var headers: HeaderList = ["Cache-Control": call.privacy, "Vary": "Accept"]
    if !isWhole || part.next == nil {
      let tag = tag(of: part, as: form)
      headers.append("ETag", tag.weak)
      if call.isKept(tag) { return Response(.notModified, headers: headers) }
    }
    let next = isWhole ? nil : part.next.map { query.cursor($0, of: owner, context.cursors) }
    if let next { headers.append("Link", "<\(call.nextTarget(next))>; rel=\"next\"") }
    headers.append("Content-Type", isCSV ? "text/csv; charset=utf-8; header=present" : type)
    let share = call.request.share
    let charge = try charge(part, share)
    return Response(
      .ok, headers: headers,
      body: .stream { writer in
        // The first part stays as long as its closure.
        defer { withExtendedLifetime((place, charge)) {} }
        try await write(
          part, for: client, of: owners, isWhole: isWhole, as: form, nextCursor: next, charging: share, to: writer)
      })
  }

  /// Charges the memory of a part, which waits until a client has taken the one before it, however slowly. Throws 503
  /// if there is none for it.
  private func charge(_ part: ReadingsQuery.Part, _ share: MemoryBudget.Share) throws -> MemoryCharge {
    let bytes = part.pages.reduce(0) { $0 + $1.bytes }
    guard let charge = MemoryCharge(bytes, of: context.process.memory, share) else { throw Problem(Limit.memory) }
    return charge
  }

  /// The entity tag of the answer in one of its forms: of its items, and of the next item's device, if there are more.
  /// It is made before the first piece is sent, without the text, which a client that has the answer already does not
  /// get.
  private func tag(of part: ReadingsQuery.Part, as form: ReadingsForm) -> EntityTag {
    var digests = EntityTag.Digests()
    digests.append(Array(form.mediaType.utf8))
    for page in part.pages {
      if query.devices != [owner], page.count > 0 { digests.append(form.lead(page.device)) }
      page.add(to: &digests)
    }
    if let next = part.next { digests.append([next.device.high, next.device.low]) }
    return EntityTag(of: digests)
  }

  /// Writes a part and, if `isWhole`, those after it, each read once the one before was taken, and charged to `share`.
  private func write(
    _ part: ReadingsQuery.Part, for client: String, of owners: [Identifier], isWhole: Bool, as form: ReadingsForm,
    nextCursor: String?, charging share: MemoryBudget.Share, to writer: BodyWriter
  ) async throws {
    var (part, isFirst, piece): (ReadingsQuery.Part, Bool, [UInt8]) = (part, true, [])
    var charge: MemoryCharge?
    defer { withExtendedLifetime(charge) {} }
    form.appendHead(to: &piece)
    while true {
      for page in part.pages {
        try await page.write(as: form, isFirst: isFirst, &piece, to: writer)
        if page.count > 0 { isFirst = false }
      }
      guard isWhole, let next = part.next else { break }
      part = try await context.longReads.goOn(for: client, of: owners) {
        try await query.part($0, from: next, limit: Self.partItems)
      }
      charge = nil
      charge = try self.charge(part, share)
    }
    form.appendEnd(nextCursor: nextCursor, to: &piece)
    try await writer.write(piece)
  }
}
