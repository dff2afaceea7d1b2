import HTTP
import Postgres
import Secrets
import Values
import Web

/// A page of readings or buckets, written piece by piece.
struct ReadingsPage {
  /// The most bytes that are sent at a time.
  private static let pieceBytes = 32 << 10

  /// Nil on an empty page.
  private let columns: ReadingsColumns?
  /// How many of the items belong to the page.
  private let count: Int
  /// The end of the span, which the next page shares.
  private let to: Timestamp

  /// Takes what a statement of `Resolution` gave; an item beyond `limit` tells that there is another page.
  init(_ rows: Rows, limit: Int, isRaw: Bool, to: Timestamp) throws {
    columns = try ReadingsColumns(rows[0], isRaw: isRaw)
    count = min(columns?.times.count ?? 0, limit)
    self.to = to
  }

  /// The cursor of the next page; nil on the last one.
  func nextCursor(_ cursors: CursorSeal, list: String) -> String? {
    guard let columns, columns.times.count > count else { return nil }
    var payload = CursorPayload()
    payload.append(columns.times[count - 1])
    payload.append(String(decoding: columns.type(count - 1), as: UTF8.self))
    payload.append(to)
    return cursors.seal(payload, list: list)
  }

  /// What stands for the page in one of its forms: the columns, with the item that tells of a next page. Made before
  /// the first piece is sent, and without the text that a client who has it already is not sent.
  func tag(as form: ReadingsForm) -> EntityTag {
    var digests = EntityTag.Digests()
    digests.append(Array(form.mediaType.utf8))
    if let columns { digests.append(columns) }
    return EntityTag(of: digests)
  }

  func write(as form: ReadingsForm, nextCursor: String?, to writer: BodyWriter) async throws {
    var position = 0
    var piece: [UInt8] = []
    form.appendHead(to: &piece)
    while let columns, position < count {
      appendItems(of: columns, from: &position, as: form, to: &piece)
      if position == count { break }
      try await writer.write(piece)
      piece.removeAll(keepingCapacity: true)
    }
    form.appendEnd(nextCursor: nextCursor, to: &piece)
    try await writer.write(piece)
  }

  /// Appends the next items, as many as fit a piece.
  private func appendItems(
    of columns: ReadingsColumns, from position: inout Int, as form: ReadingsForm, to piece: inout [UInt8]
  ) {
    let itemBytes = columns.itemBytes
    piece.append(upTo: min((count - position) * itemBytes, Self.pieceBytes)) { output in
      while position < count, output.room >= itemBytes {
        if position > 0 { output.append(form.between) }
        columns.write(position, form.separators, to: &output)
        position += 1
      }
    }
  }
}
