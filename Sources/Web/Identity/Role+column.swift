import Postgres
import Secrets

/// Reads the name of a role, also of one that this release does not know.
extension Role: PostgresDecodable {
  package static func decode(_ cell: Cell) throws(PostgresError) -> Role { Role(named: try String.decode(cell)) }
}
