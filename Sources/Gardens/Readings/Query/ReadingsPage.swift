import HTTP
import Postgres
import Secrets
import Values
import Web

/// Readings or buckets of one device, in their order.
struct ReadingsPage {
  /// The most bytes that are sent at a time.
  private static let pieceBytes = 32 << 10

  let device: Identifier
  /// Nil on an empty page.
  private let columns: ReadingsColumns?
  /// How many of the items belong to the page; one more may have been read.
  let count: Int

  /// Reads the rows of a statement of `Resolution`; an item beyond `limit` shows that there is another page.
  init(_ rows: Rows, of device: Identifier, limit: Int, isRaw: Bool) throws {
    self.device = device
    columns = try ReadingsColumns(rows[0], isRaw: isRaw)
    count = min(columns?.times.count ?? 0, limit)
  }

  /// About the memory that it takes.
  var bytes: Int { columns?.bytes ?? 0 }

  /// Where the next page of the device begins; nil on the last one.
  var next: ReadingsPlace? {
    guard let columns, columns.times.count > count else { return nil }
    return ReadingsPlace(
      device: device, from: columns.times[count - 1],
      typeBefore: String(decoding: columns.type(count - 1), as: UTF8.self))
  }

  /// Adds the page to `digests`: its columns, with the item that shows that there is another page.
  func add(to digests: inout EntityTag.Digests) { if let columns { digests.append(columns) } }

  /// Writes the items; what does not fill a piece is left in `piece`.
  func write(as form: ReadingsForm, isFirst: Bool, _ piece: inout [UInt8], to writer: BodyWriter) async throws {
    guard let columns else { return }
    let lead = form.lead(device)
    var position = 0
    if piece.count >= Self.pieceBytes {
      try await writer.write(piece)
      piece.removeAll(keepingCapacity: true)
    }
    while position < count {
      appendItems(of: columns, from: &position, lead, as: form, isFirst: isFirst, to: &piece)
      if position == count { return }
      try await writer.write(piece)
      piece.removeAll(keepingCapacity: true)
    }
  }

  /// Appends the next items, as many as fit a piece.
  private func appendItems(
    of columns: ReadingsColumns, from position: inout Int, _ lead: [UInt8], as form: ReadingsForm, isFirst: Bool,
    to piece: inout [UInt8]
  ) {
    let itemBytes = columns.itemBytes
    let room = max(itemBytes, Self.pieceBytes - piece.count)
    piece.append(upTo: min((count - position) * itemBytes, room)) { output in
      while position < count, output.room >= itemBytes {
        if position > 0 || !isFirst { output.append(form.between) }
        columns.write(position, lead, form.separators, to: &output)
        position += 1
      }
    }
  }
}

/// Where a page of readings begins.
struct ReadingsPlace {
  let device: Identifier
  let from: Timestamp
  /// The sensor type of the last item before, which was of the moment `from`; empty when there is none.
  let typeBefore: String
}
