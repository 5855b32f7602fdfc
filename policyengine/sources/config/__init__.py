"""What AWS Config recorded, as a source: snapshot and history files, events, answers of its API (docs/aws-config.md)."""
