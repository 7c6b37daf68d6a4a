"""The verbs of swarms: `swarm`, `node`, `service`, `stack`, `secret` and `config`."""
