import HTTP
import Postgres
import Secrets
import Values

/// A page of a list in the order of a number, such as a rank or a distance; of equal numbers the newest come first.
package struct RankedPage {
  private let list: String
  private let limit: Int64
  /// The number and the id of the last item of the page before.
  package let after: (number: Double, id: Identifier)?

  package var rowLimit: Int64 { limit + 1 }

  /// The body of the page: each row has its number behind the columns that `item` reads.
  package func body<Item: PageItem>(
    _ call: Call, _ rows: Rows, _ item: (inout Columns) throws -> Item
  ) throws -> [UInt8] {
    var items: [(item: Item, number: Double)] = []
    for row in rows.prefix(Int(limit)) {
      var columns = row.columns
      items.append((try item(&columns), try columns.next(Double.self)))
    }
    var next: String?
    if rows.count > items.count, let last = items.last {
      var payload = CursorPayload()
      payload.append(Int64(bitPattern: last.number.bitPattern))
      payload.append(last.item.id)
      next = call.context.cursors.seal(payload, list: list)
    }
    return call.pageBody({ json in for (item, _) in items { json.object(item.write) } }, next: next)
  }

  fileprivate init(list: String, page: PageRequest) throws {
    self.list = list
    limit = page.limit
    guard var payload = page.after else {
      after = nil
      return
    }
    after = (Double(bitPattern: UInt64(bitPattern: try payload.takeInteger())), try payload.takeIdentifier())
  }
}

extension Call {
  /// Reads `limit` and `cursor` of a list in the order of a number; throws as `page` does.
  package func rankedPage(_ query: Query, list: String) throws -> RankedPage {
    try RankedPage(list: list, page: try page(query, list: list))
  }
}
