import HTTP
import JSON
import Postgres
import Secrets
import Values

/// What a list shows: something with an id that writes its members.
package protocol PageItem {
  var id: Identifier { get }
  func write(_ json: inout JSONWriter)
}

/// A page of a list whose newest items come first: ids rise with time, so that the last id tells where to go on.
package struct IdentifierPage {
  /// Everything that decides what the list holds.
  package let list: String
  /// The most items of the page.
  package let limit: Int64
  /// Items with smaller ids belong to the page.
  package let before: Identifier

  /// How many rows to ask for: one more tells whether there is a next page.
  package var rowLimit: Int64 { limit + 1 }

  /// The body of the page: rows in descending order of their ids, at most `rowLimit` of them.
  package func body<Item: PageItem>(_ call: Call, _ rows: Rows, _ item: (Row) throws -> Item) throws -> [UInt8] {
    let items = try rows.prefix(Int(limit)).map(item)
    var next: String?
    if rows.count > items.count, let last = items.last {
      var payload = CursorPayload()
      payload.append(last.id)
      next = call.context.cursors.seal(payload, list: list)
    }
    return call.pageBody({ json in for item in items { json.object(item.write) } }, next: next)
  }
}

extension Call {
  /// Reads `limit` and `cursor` of a list whose newest items come first; throws as `page` does.
  package func identifierPage(_ query: Query, list: String) throws -> IdentifierPage {
    let page = try page(query, list: list)
    var after = page.after
    let before = try after?.takeIdentifier() ?? Identifier(high: .max, low: .max)
    return IdentifierPage(list: list, limit: page.limit, before: before)
  }
}
