"""The solver: executes LLB as a graph of vertices, with a content-addressed cache."""
