import Settings

@testable import Serving
@testable import Web

/// Returns `value` of each row of the route table.
func served<Value>(_ value: (Endpoint) -> Value) throws -> [Value] {
  let variables = ["ENVIRONMENT": "test", "DATABASE_URL": try TestStores.databaseURL]
  let machine = Machine(processors: 1, randomSecret: String(repeating: "9", count: 64))
  let configuration = try Configuration.load(RawEnvironment(variables: variables, machine: machine))
  return try EndpointTable.withEndpoints(configuration) { $0.map(value) }
}
