"""Generated Protocol Buffers messages and gRPC stubs."""
