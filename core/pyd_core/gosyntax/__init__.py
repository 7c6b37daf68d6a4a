"""Values in Go's notation, as Docker's clients and engines write them: durations, booleans and sizes."""
