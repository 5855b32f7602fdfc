"""Results put where others look: findings into Security Hub, evidence under S3 Object Lock."""
