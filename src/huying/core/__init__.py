"""Pure decisions, one module a topic: facts, rules and an instant in, a verdict out."""
