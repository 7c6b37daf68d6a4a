"""gRPC over connections that were taken over from HTTP, in both directions."""
