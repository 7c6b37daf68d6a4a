"""The classic builder: the stream of `/build`, with an image of each step, over the solver."""
