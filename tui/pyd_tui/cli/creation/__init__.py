"""What `create` and `run` share: their options, and the request made of them."""
