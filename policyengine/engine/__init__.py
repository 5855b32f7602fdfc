"""Pure evaluation: rules and resources in, verdicts out; clock, parameters and scope are inputs."""
