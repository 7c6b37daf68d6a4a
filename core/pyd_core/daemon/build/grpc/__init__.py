"""BuildKit's services, as clients call them over `/grpc`."""
