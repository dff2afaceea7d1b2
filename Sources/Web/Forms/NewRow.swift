import Values

/// A row that is to be made of a form: what the form says, with an id and dates.
package struct NewRow<Form> {
  package let id: Identifier
  package let new: Form
  package let createdAt: Timestamp
  package let updatedAt: Timestamp

  package init(id: Identifier, new: Form, createdAt: Timestamp, updatedAt: Timestamp) {
    self.id = id
    self.new = new
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}
